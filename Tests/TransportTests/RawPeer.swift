import HTTP2Engine
import NIOCore
import NIOPosix
import TLSEngine

/// A connection on which a test says what it likes, with or without TLS, and reads what comes.
final class RawPeer: Sendable {
  struct Wire: Sendable {
    var bytes: [UInt8] = []
    /// TLS is established (at once where there is none).
    var isReady = false
    /// The other side sends no more.
    var isEnded = false
    /// The connection broke.
    var failure: String?

    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  let wire = Witness(Wire())
  let channel: any Channel
  private let handler: NIOLoopBound<RawHandler>

  private init(_ channel: any Channel, _ handler: NIOLoopBound<RawHandler>) {
    self.channel = channel
    self.handler = handler
  }

  /// Connects to a bound address.
  static func connect(to address: String, tls: TLSContext? = nil) async throws -> RawPeer {
    let (host, port) = split(address)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let channel = try await ClientBootstrap(group: loop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(host: host, port: port).get()
    return try await adopt(channel, tls: tls)
  }

  /// Takes over a connected channel.
  static func adopt(_ channel: any Channel, tls: TLSContext?) async throws -> RawPeer {
    let peer = try await channel.eventLoop.submit {
      let handler = RawHandler(tls.map { TLSSession($0) })
      let peer = RawPeer(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
      handler.wire = peer.wire
      try channel.pipeline.syncOperations.addHandler(handler)
      return peer
    }.get()
    await peer.wire.wait { $0.isReady || $0.isEnded }
    return peer
  }

  static func split(_ address: String) -> (host: String, port: Int) {
    let parts = address.split(separator: ":")
    return (String(parts[0]), Int(parts[1]) ?? 0)
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.eventLoop.flatSubmit { [handler] in handler.value.send(bytes) }.get()
  }

  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  /// Sends no more, but goes on reading.
  func closeOutput() async throws { try await channel.close(mode: .output).get() }

  /// TLS's word for it.
  func sayCloseNotify() async throws {
    try await channel.eventLoop.submit { [handler] in handler.value.sayCloseNotify() }.get()
  }

  func close() async { try? await channel.close().get() }

  /// Reads no more until told to.
  func setReading(_ reads: Bool) async throws { try await channel.setOption(.autoRead, value: reads).get() }

  /// What came until the condition held, or the end.
  @discardableResult
  func read(until condition: @escaping @Sendable (Wire) -> Bool) async -> Wire {
    await wire.wait { condition($0) || $0.isEnded }
  }

  /// All that comes until the other side sends no more.
  func readToEnd() async -> Wire { await wire.wait { $0.isEnded } }
}

private final class RawHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  var wire = Witness(RawPeer.Wire())
  private let tls: TLSSession?
  private var context: ChannelHandlerContext?

  init(_ tls: TLSSession?) { self.tls = tls }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    try? tls?.start()
    flush()
    if tls == nil { wire.change { $0.isReady = true } }
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let cipher = Array(unwrapInboundIn(data).readableBytesView)
    guard let tls else { return wire.change { $0.bytes += cipher } }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    defer { scratch.deallocate() }
    var plain: [UInt8] = []
    do {
      try cipher.withUnsafeBytes { try tls.receive($0, scratch: scratch) { plain += $0 } }
    } catch {
      wire.change { $0.failure = "\(error)" }
    }
    flush()
    wire.change {
      $0.bytes += plain
      if tls.isEstablished { $0.isReady = true }
      if tls.isPeerClosed { $0.isEnded = true }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { wire.change { $0.isEnded = true } }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    wire.change { $0.failure = "\(error)" }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { wire.change { $0.isEnded = true } }

  func send(_ bytes: [UInt8]) -> EventLoopFuture<Void> {
    guard let context else { preconditionFailure("the connection is gone") }
    guard let tls else { return context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))) }
    do { try bytes.withUnsafeBytes { try tls.send($0) } } catch { return context.eventLoop.makeFailedFuture(error) }
    return flush() ?? context.eventLoop.makeSucceededVoidFuture()
  }

  func sayCloseNotify() {
    tls?.close()
    flush()
  }

  @discardableResult
  private func flush() -> EventLoopFuture<Void>? {
    var out = ByteBuffer()
    tls?.takeOutput { out.writeBytes($0) }
    return out.readableBytes > 0 ? context?.writeAndFlush(wrapOutboundOut(out)) : nil
  }
}
