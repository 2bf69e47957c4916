internal import NIOCore
internal import TLSEngine

/// Room that the connections of one event loop share while they decrypt and encrypt.
final class ScratchBuffer {
  /// Where decrypted bytes lie during one call.
  let bytes: UnsafeMutableRawBufferPointer
  private var plain: [UInt8] = []

  /// A buffer that a burst made larger than this is given back after its use.
  private static let keptCapacityMax = 1 << 20

  init(byteCount: Int = 1 << 16) { bytes = .allocate(byteCount: byteCount, alignment: 16) }

  // SAFETY: `bytes` is allocated in `init`, freed here only, and handed out for the length of a call on one thread.
  deinit { bytes.deallocate() }

  /// Lends an empty array, to gather bytes that are about to be sent. Whoever asks while it is lent gets another.
  func withPlain<Result>(_ body: (inout [UInt8]) -> Result) -> Result {
    var lent: [UInt8] = []
    swap(&lent, &plain)
    defer {
      if lent.capacity <= Self.keptCapacityMax {
        lent.removeAll(keepingCapacity: true)
        plain = lent
      }
    }
    return body(&lent)
  }
}

extension TLSSession {
  /// Decrypts what a socket delivered.
  func receive(
    _ cipher: ByteBuffer, scratch: ScratchBuffer, plain: (UnsafeRawBufferPointer) -> Void
  ) throws(TLSFault) {
    let result = cipher.withUnsafeReadableBytes { bytes in
      Result { () throws(TLSFault) in try receive(bytes, scratch: scratch.bytes, plain: plain) }
    }
    try result.get()
  }

  /// Encrypts bytes into the output.
  func send(_ plain: [UInt8]) throws(TLSFault) {
    let result = plain.withUnsafeBytes { bytes in Result { () throws(TLSFault) in try send(bytes) } }
    try result.get()
  }

  /// Takes the output as one buffer; empty where there is none.
  func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer {
    guard outputByteCount > 0 else { return ByteBuffer() }
    var out = allocator.buffer(capacity: outputByteCount)
    takeOutput { out.writeBytes($0) }
    return out
  }
}
