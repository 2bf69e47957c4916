import COpenSSL

/// What OpenSSL takes for a socket: it reads the caller's cipher bytes in place and appends to a reused buffer.
///
/// SAFETY: `input` is set for the length of one `TLSSession.receive` and emptied before that returns, so it never
/// dangles. The BIO and the `SSL` hold unretained pointers to this object; the session owns all three and frees
/// those two first.
final class CipherChannel {
  /// What the current call of `receive` has left.
  var input = UnsafeRawBufferPointer(start: nil, count: 0)
  /// What waits for the socket.
  private(set) var output: [UInt8] = []
  /// Handshake messages that came since this was last set back; after the handshake these are the peer's new keys and
  /// session tickets, which cost work and carry nothing.
  var handshakeMessageCount = 0
  /// The peer asked to negotiate anew, and OpenSSL told it no.
  private(set) var hasRefusedRenegotiation = false
  /// The other buffer, so that the sink may make more output while it empties the first.
  private var spare: [UInt8] = []

  /// A buffer that a burst made larger than this is given back after it was emptied.
  static let keptCapacityMax = 512 << 10

  /// Hands out all output and forgets it.
  func drain(_ sink: (UnsafeRawBufferPointer) -> Void) {
    guard !output.isEmpty else { return }
    var full: [UInt8] = []
    swap(&full, &spare)
    swap(&full, &output)
    full.withUnsafeBytes(sink)
    full.removeAll(keepingCapacity: full.capacity <= Self.keptCapacityMax)
    spare = full
  }

  /// Counts the peer's handshake messages, and watches for what OpenSSL answers and does not tell, while `ssl` lives.
  func watchMessages(of ssl: OpaquePointer) {
    copenssl_set_msg_callback_arg(ssl, Unmanaged.passUnretained(self).toOpaque())
    SSL_set_msg_callback(ssl) { isSent, _, contentType, bytes, count, _, channel in
      guard let channel else { return }
      let message = UnsafeRawBufferPointer(start: bytes, count: count)
      Unmanaged<CipherChannel>.fromOpaque(channel).takeUnretainedValue()
        .note(message, contentType: contentType, isSent: isSent != 0)
    }
  }

  private func note(_ message: UnsafeRawBufferPointer, contentType: Int32, isSent: Bool) {
    switch (contentType, isSent) {
    case (SSL3_RT_HANDSHAKE, false): handshakeMessageCount += 1
    case (SSL3_RT_ALERT, true):
      hasRefusedRenegotiation = hasRefusedRenegotiation || message.last == Self.noRenegotiation
    default: break
    }
  }

  /// The alert's number (RFC 5246, section 7.2).
  private static let noRenegotiation: UInt8 = 100

  /// A BIO over this channel; its owner must not outlive the channel.
  func makeBIO() -> OpaquePointer? {
    guard let method = Self.method, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  private static func of(_ bio: OpaquePointer?) -> CipherChannel? {
    BIO_get_data(bio).map { Unmanaged<CipherChannel>.fromOpaque($0).takeUnretainedValue() }
  }

  private func read(into target: UnsafeMutableRawPointer, upTo count: Int) -> Int {
    guard let start = input.baseAddress else { return 0 }
    let taken = min(count, input.count)
    target.copyMemory(from: start, byteCount: taken)
    input = UnsafeRawBufferPointer(rebasing: input[taken...])
    return taken
  }

  // SAFETY: written once, before its first use; OpenSSL only reads it afterwards.
  nonisolated(unsafe) private static let method: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "longspan") else { return nil }
    BIO_meth_set_read_ex(method) { bio, target, count, taken in
      copenssl_bio_clear_retry(bio)
      guard let channel = CipherChannel.of(bio), let target, let taken else { return 0 }
      taken.pointee = channel.read(into: target, upTo: count)
      if taken.pointee > 0 { return 1 }
      copenssl_bio_retry_read(bio)
      return 0
    }
    BIO_meth_set_write_ex(method) { bio, source, count, taken in
      copenssl_bio_clear_retry(bio)
      guard let channel = CipherChannel.of(bio), let source, let taken else { return 0 }
      channel.output.append(contentsOf: UnsafeRawBufferPointer(start: source, count: count))
      taken.pointee = count
      return 1
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()
}
