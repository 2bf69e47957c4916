import COpenSSL

/// The ALPN names a side speaks (RFC 7301), in order of preference, as the wire writes them: length, name, ...
///
/// SAFETY: `@unchecked Sendable` because the bytes are written in `init` only. They have a fixed address because
/// OpenSSL keeps a pointer to the chosen name until the handshake is done; contexts outlive their sessions.
final class ApplicationProtocols: @unchecked Sendable {
  let bytes: UnsafeMutableBufferPointer<UInt8>

  /// Writes the list; an empty one means that ALPN is not spoken.
  init(_ names: [String]) throws(TLSConfigurationFault) {
    var list: [UInt8] = []
    for name in names {
      guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
        throw TLSConfigurationFault(.applicationProtocols, .badName)
      }
      list.append(length)
      list.append(contentsOf: name.utf8)
    }
    guard list.count <= Int(UInt16.max) else { throw TLSConfigurationFault(.applicationProtocols, .tooLarge) }
    bytes = .allocate(capacity: list.count)
    _ = bytes.initialize(from: list)
  }

  deinit { bytes.deallocate() }

  /// A server's choice for a client that offers ALPN: the first of ours that is among the client's, else a fatal
  /// `no_application_protocol`.
  static func select(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ chosenCount: UnsafeMutablePointer<UInt8>?,
    from offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _ list: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let chosen, let chosenCount, let offered, let list else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    // SAFETY: the context that registered this callback owns the list and outlives its sessions.
    let ours = Unmanaged<ApplicationProtocols>.fromOpaque(list).takeUnretainedValue().bytes
    var name: UnsafeMutablePointer<UInt8>?
    let verdict = SSL_select_next_proto(
      &name, chosenCount, ours.baseAddress, UInt32(ours.count), offered, offeredCount)
    guard verdict == OPENSSL_NPN_NEGOTIATED, let name else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    chosen.pointee = UnsafePointer(name)
    return SSL_TLSEXT_ERR_OK
  }
}
