import COpenSSL

/// One connection's TLS, without the connection: cipher bytes in, plain bytes out, and the reverse.
///
/// Not for more than one thread at a time. After `start`, `receive`, `send` and `close`, also when they threw, there
/// may be output to write to the socket: after a failure it is the alert that tells the peer why.
public final class TLSSession {
  private enum Phase: Equatable {
    case handshaking
    case established
    case failed(TLSFault)
    case closed
  }

  private let context: TLSContext
  private let ssl: OpaquePointer
  private let channel = CipherChannel()
  private var phase = Phase.handshaking
  private var isReceiving = false
  /// Plain bytes since the peer's handshake messages were last forgiven.
  private var plainByteCount = 0

  /// Handshake messages that a peer may send in the course of `forgivingByteCount` plain bytes once the session is
  /// established. New keys are due every few hundred gigabytes and a server sends a handful of tickets; past this it
  /// is a flood.
  static let laterHandshakeMessagesMax = 64
  static let forgivingByteCount = 1 << 20

  /// Bytes that a peer may send before the session is established: its hello, certificates and the rest. OpenSSL keeps
  /// an unfinished message of up to 128 KiB, which a thousand silent peers could make it do at once. Clients send a few
  /// hundred bytes, with a chain of certificates some thousand; servers may have names by the hundred.
  static let clientHandshakeByteCountMax = 32 << 10
  static let serverHandshakeByteCountMax = 128 << 10
  private var handshakeByteCount = 0

  /// Whether the peer said (`close_notify`) that it will send no more. The end of a connection without it may be an
  /// attacker's doing; HTTP's own framing tells whether something is missing.
  public private(set) var isPeerClosed = false

  /// Begins a session as the side that `context` is for.
  public init(_ context: TLSContext) {
    self.context = context
    ErrorQueue.clear()
    guard let ssl = SSL_new(context.handle.raw), let bio = channel.makeBIO() else {
      preconditionFailure("OpenSSL is out of memory")
    }
    self.ssl = ssl
    SSL_set_bio(ssl, bio, bio)
    channel.watchMessages(of: ssl)
    switch context.role {
    case .server: SSL_set_accept_state(ssl)
    case .client(let name):
      Self.expect(name, on: ssl)
      SSL_set_connect_state(ssl)
    }
  }

  deinit {
    SSL_free(ssl)
    ErrorQueue.clear()
  }

  private static func expect(_ name: ServerName, on ssl: OpaquePointer) {
    let isSet =
      switch name {
      case .host(let host):
        X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), host, 0) == 1 && copenssl_set_sni(ssl, host) == 1
      case .address(let address): X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address) == 1
      }
    precondition(isSet, "a server name that was checked must be settable, or nothing would be verified")
  }

  /// Whether plain bytes can be sent. On a TLS 1.3 client that is before the server has judged the client's
  /// certificate: a refusal then comes as a fault of a later `receive`.
  public var isEstablished: Bool { phase == .established }

  /// Makes a client's first message; a server has nothing to say first.
  public func start() throws(TLSFault) {
    guard phase == .handshaking, case .client = context.role else { return }
    ErrorQueue.clear()
    let verdict = SSL_do_handshake(ssl)
    guard verdict == 1 || SSL_get_error(ssl, verdict) == SSL_ERROR_WANT_READ else { throw fail() }
    ErrorQueue.clear()
  }

  /// Decrypts all of `cipher`; hands on what is plain in pieces as large as `scratch` (64 KiB is a good size; one for
  /// all sessions of a thread), valid during the call of `plain` only.
  ///
  /// When `plain` is called the session is established and the negotiated protocol is known. `plain` may call `send`,
  /// `takeOutput` and `close`; after `close` it gets nothing more. What arrived whole before a fault or the peer's
  /// `close_notify` is handed on first; what follows those is thrown away.
  public func receive(
    _ cipher: UnsafeRawBufferPointer, scratch: UnsafeMutableRawBufferPointer, plain: (UnsafeRawBufferPointer) -> Void
  ) throws(TLSFault) {
    precondition(!isReceiving, "receive must not be called from its own callback")
    precondition(!scratch.isEmpty, "receive needs a scratch buffer to decrypt into")
    if case .failed(let fault) = phase { throw fault }
    guard phase != .closed, !isPeerClosed else { return }
    isReceiving = true
    channel.input = cipher
    defer {
      channel.input = UnsafeRawBufferPointer(start: nil, count: 0)
      isReceiving = false
    }
    if phase == .handshaking { handshakeByteCount += cipher.count }
    while phase != .closed {
      let (count, stop) = fill(scratch)
      if count > 0 { plain(UnsafeRawBufferPointer(rebasing: scratch[..<count])) }
      switch stop {
      case .full: continue
      case .dry: return
      case .fault(let fault):
        phase = .failed(fault)
        throw fault
      }
    }
  }

  private enum Stop {
    case full
    case dry
    case fault(TLSFault)
  }

  /// Decrypts into `scratch` until it is full or the input used up; answers how many bytes it wrote and why it stopped.
  ///
  /// The phase does not change to a failed one here: what was decrypted before the failure is still to be delivered, and
  /// whoever gets it may ask who sent it.
  private func fill(_ scratch: UnsafeMutableRawBufferPointer) -> (Int, Stop) {
    var used = 0
    while used < scratch.count {
      var count = 0
      ErrorQueue.clear()
      let verdict = SSL_read_ex(ssl, scratch.baseAddress?.advanced(by: used), scratch.count - used, &count)
      if phase == .handshaking, SSL_is_init_finished(ssl) == 1 { establish() }
      used += count
      if verdict != 1 {
        if let fault = readingFault(verdict) ?? excess(after: used) { return (used, .fault(fault)) }
        return (used, .dry)
      }
    }
    return (used, excess(after: used).map { .fault($0) } ?? .full)
  }

  /// Encrypts all of `plain` into the output, in records of at most 16 KiB. The output grows by as much: the caller
  /// bounds what it sends before it takes the output.
  public func send(_ plain: UnsafeRawBufferPointer) throws(TLSFault) {
    switch phase {
    case .handshaking: preconditionFailure("plain bytes can be sent only on an established session")
    case .failed(let fault): throw fault
    case .closed: throw TLSFault(.closed, "closed on this side")
    case .established: break
    }
    guard !plain.isEmpty else { return }
    var count = 0
    ErrorQueue.clear()
    let verdict = SSL_write_ex(ssl, plain.baseAddress, plain.count, &count)
    guard verdict == 1 else { throw fail() }
  }

  /// How many bytes `takeOutput` would hand out.
  public var outputByteCount: Int { channel.output.count }

  /// Hands out the bytes for the socket, at most one piece, valid during the call only.
  public func takeOutput(_ sink: (UnsafeRawBufferPointer) -> Void) { channel.drain(sink) }

  /// Says goodbye (`close_notify`, in the output) and sends and receives no more.
  public func close() {
    if phase == .established {
      ErrorQueue.clear()
      SSL_shutdown(ssl)
      ErrorQueue.clear()
    }
    if case .failed = phase { return }
    phase = .closed
  }

  // MARK: - The peer

  /// What ALPN agreed on, or `nil` where the other side does not speak ALPN.
  public var negotiatedProtocol: String? {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    guard let name, count > 0 else { return nil }
    return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// Whether the peer showed a certificate and it was verified.
  public private(set) var peerIsAuthenticated = false

  /// The region that the peer's verified certificate speaks for: its one SPIFFE ID is `spiffe://DOMAIN/region/REGION`.
  public private(set) var peerRegion: String?

  /// The version that is spoken, such as "TLSv1.3".
  public var protocolVersion: String { String(cString: SSL_get_version(ssl)) }

  // MARK: - Progress and failure

  private func establish() {
    phase = .established
    channel.handshakeMessageCount = 0
    guard context.verifiesPeer, SSL_get_verify_result(ssl) == Int(X509_V_OK),
      let certificate = SSL_get0_peer_certificate(ssl)
    else { return }
    peerIsAuthenticated = true
    if case .region(let region) = PeerRegion(certificate: certificate) { peerRegion = region }
  }

  /// What the peer does that OpenSSL puts up with and we do not: handshake for its own sake.
  private func excess(after byteCount: Int) -> TLSFault? {
    guard phase == .established else {
      let isFlooded = phase == .handshaking && handshakeByteCount > handshakeByteCountMax
      return isFlooded ? TLSFault(.flood, "too many bytes before the session is established") : nil
    }
    if channel.hasRefusedRenegotiation { return TLSFault(.renegotiation, "asked for by the peer") }
    let isFlooded = channel.handshakeMessageCount > Self.laterHandshakeMessagesMax
    plainByteCount += byteCount
    if plainByteCount >= Self.forgivingByteCount {
      plainByteCount = 0
      channel.handshakeMessageCount = 0
    }
    return isFlooded ? TLSFault(.flood, "too many handshake messages") : nil
  }

  private var handshakeByteCountMax: Int {
    switch context.role {
    case .server: Self.clientHandshakeByteCountMax
    case .client: Self.serverHandshakeByteCountMax
    }
  }

  /// Changes this side's keys with the next bytes sent and asks the peer to do the same (TLS 1.3). OpenSSL never does
  /// it by itself below its record limit; the tests flood with it.
  func updateKeys() {
    SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
    SSL_do_handshake(ssl)
    ErrorQueue.clear()
  }

  /// Why reading stopped: `nil` where all input is used up or the peer closed.
  private func readingFault(_ verdict: Int32) -> TLSFault? {
    switch SSL_get_error(ssl, verdict) {
    case SSL_ERROR_WANT_READ:
      ErrorQueue.clear()
      return nil
    case SSL_ERROR_ZERO_RETURN:
      ErrorQueue.clear()
      isPeerClosed = true
      return nil
    default: return takeFault()
    }
  }

  /// Reads what OpenSSL says of its failure.
  private func takeFault() -> TLSFault {
    TLSFault(error: ErrorQueue.take(), of: ssl, as: context.role, isEstablished: phase == .established)
  }

  /// Ends the session with what OpenSSL says of its failure.
  private func fail() -> TLSFault {
    let fault = takeFault()
    phase = .failed(fault)
    return fault
  }
}
