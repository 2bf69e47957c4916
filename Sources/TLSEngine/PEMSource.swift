import COpenSSL
import Glibc

/// Where certificates or a key come from.
public enum PEMSource: Sendable {
  /// A file, read when a context is made.
  case file(String)
  /// PEM text in memory.
  case bytes([UInt8])

  /// The most bytes that are read from a file; the largest CA bundles have about 0.3 MiB.
  static let byteCountMax = 4 << 20

  /// The file's path, for faults.
  var path: String? {
    switch self {
    case .file(let path): path
    case .bytes: nil
    }
  }

  /// Runs `body` with the PEM text as OpenSSL wants to read it.
  func withBIO<Result>(
    for item: TLSConfigurationFault.Item, _ body: (OpaquePointer) throws(TLSConfigurationFault) -> Result
  ) throws(TLSConfigurationFault) -> Result {
    let bytes: [UInt8]
    switch self {
    case .bytes(let given): bytes = given
    case .file(let path): bytes = try Self.contents(of: path, item)
    }
    guard bytes.count <= Self.byteCountMax else { throw TLSConfigurationFault(item, path: path, .tooLarge) }
    guard !bytes.isEmpty else { throw TLSConfigurationFault(item, path: path, .noPEM) }
    // SAFETY: a BIO owns the copy that is made here, so no pointer into the array outlives the call below.
    guard let bio = BIO_new(BIO_s_mem()) else { preconditionFailure("OpenSSL is out of memory") }
    defer { BIO_free(bio) }
    guard BIO_write(bio, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
      preconditionFailure("OpenSSL is out of memory")
    }
    return try body(bio)
  }

  private static func contents(
    of path: String, _ item: TLSConfigurationFault.Item
  ) throws(TLSConfigurationFault) -> [UInt8] {
    func unreadable(_ code: Int32) -> TLSConfigurationFault {
      TLSConfigurationFault(item, path: path, .unreadable(String(cString: strerror(code))))
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(errno) }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while contents.count <= byteCountMax {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { return contents }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw unreadable(errno)
      }
      contents.append(contentsOf: chunk[..<count])
    }
    throw TLSConfigurationFault(item, path: path, .tooLarge)
  }
}
