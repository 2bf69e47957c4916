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

  let wire: Witness<Wire>
  let channel: any Channel
  private let handler: NIOLoopBound<RawHandler>

  private init(_ channel: any Channel, _ handler: NIOLoopBound<RawHandler>, _ wire: Witness<Wire>) {
    self.channel = channel
    self.handler = handler
    self.wire = wire
  }

  /// Connects to a bound address.
  static func connect(to address: String, tls: TLSContext? = nil) async throws -> RawPeer {
    let (host, port) = split(address)
    let made = Witness<RawPeer?>(nil)
    _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = try install(on: channel, tls: tls)
          made.change { $0 = peer }
        }
      }
      .connect(host: host, port: port).get()
    guard let peer = made.state else { preconditionFailure("a connected channel was initialised") }
    await peer.wire.wait { $0.isReady || $0.isEnded }
    return peer
  }

  /// Puts a peer on a channel that is being made.
  static func install(on channel: any Channel, tls: TLSContext?) throws -> RawPeer {
    let wire = Witness(Wire())
    let handler = RawHandler(tls.map { TLSSession($0) }, wire, on: channel.eventLoop)
    try channel.pipeline.syncOperations.addHandler(handler)
    return RawPeer(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop), wire)
  }

  static func split(_ address: String) -> (host: String, port: Int) {
    let parts = address.split(separator: ":")
    return (String(parts[0]), Int(parts[1]) ?? 0)
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.eventLoop.flatSubmit { [handler] in handler.value.send(bytes) }.get()
  }

  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  /// What an HTTP/2 server says first: SETTINGS, here without any.
  func greet() async throws { try await send([0, 0, 0, 4, 0, 0, 0, 0, 0]) }

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
  @discardableResult
  func readToEnd() async -> Wire { await wire.wait { $0.isEnded } }
}

private final class RawHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let wire: Witness<RawPeer.Wire>
  private let tls: TLSSession?
  private let eventLoop: any EventLoop
  private var context: ChannelHandlerContext?

  init(_ tls: TLSSession?, _ wire: Witness<RawPeer.Wire>, on eventLoop: any EventLoop) {
    self.tls = tls
    self.wire = wire
    self.eventLoop = eventLoop
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
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
    guard let context else { return eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
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
