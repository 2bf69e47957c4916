internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Where finished log lines go. The seam at which tests look at them.
public protocol LogSink: Sendable {
  /// Takes one line, its newline included.
  func write(_ line: [UInt8])
}

/// The process' standard error: one `write(2)` a line, so that lines of several threads do not mix.
public final class StandardErrorSink: LogSink {
  private let descriptor: Int32
  private let lock = Mutex(())

  /// The sink; share one in a process.
  public init() { descriptor = STDERR_FILENO }

  init(descriptor: Int32) { self.descriptor = descriptor }

  public func write(_ line: [UInt8]) {
    lock.withLock { _ in
      // SAFETY: the pointer is used inside the closure only, and never past the count it came with.
      line.withUnsafeBytes { bytes in
        var offset = 0
        while offset < bytes.count {
          let written = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: bytes[offset...]))
          // A line that cannot be written is lost: there is nowhere to say so.
          if written > 0 { offset += written } else if written == 0 || errno != EINTR { return }
        }
      }
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
