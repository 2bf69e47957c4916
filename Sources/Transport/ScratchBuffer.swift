internal import NIOCore
internal import TLSEngine

/// Room that the connections of one event loop share while they decrypt and encrypt.
final class ScratchBuffer {
  /// Where decrypted bytes lie during one call.
  let bytes: UnsafeMutableRawBufferPointer
  /// Bytes that are about to be encrypted.
  var plain: [UInt8] = []

  init(byteCount: Int = 1 << 16) { bytes = .allocate(byteCount: byteCount, alignment: 16) }

  // SAFETY: `bytes` is allocated in `init`, freed here only, and handed out for the length of a call on one thread.
  deinit { bytes.deallocate() }
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
}

extension ScratchBuffer {
  /// Encrypts what `plain` holds.
  func encrypt(with tls: TLSSession) throws(TLSFault) {
    let result = plain.withUnsafeBytes { bytes in Result { () throws(TLSFault) in try tls.send(bytes) } }
    try result.get()
  }
}
