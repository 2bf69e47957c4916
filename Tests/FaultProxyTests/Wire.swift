import NIOCore
import NIOPosix

/// One end of a TCP connection in a test's hands: what came is read in order, as events.
final class Wire: Sendable {
  enum Event: Equatable {
    case bytes(String)
    /// The peer has said all.
    case end
    /// Nothing comes any more; the connection was broken if no `end` came before.
    case closed
  }

  let channel: any Channel
  private let events: AsyncStream<Event>

  fileprivate init(_ channel: any Channel, _ events: AsyncStream<Event>) {
    (self.channel, self.events) = (channel, events)
  }

  static func connect(to port: Int) async throws -> Wire {
    let (events, handler) = Recorder.make()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { $0.pipeline.addHandler(handler) }
      .connect(host: "127.0.0.1", port: port).get()
    return Wire(channel, events)
  }

  /// What a peer may no longer be there to take is not missed.
  func send(_ text: String) async { try? await channel.writeAndFlush(ByteBuffer(string: text)) }
  func send(_ bytes: ByteBuffer) async { try? await channel.writeAndFlush(bytes) }
  func end() async { try? await channel.close(mode: .output) }
  func close() async { try? await channel.close() }

  /// All until nothing more can come, or until so many bytes came: bytes, and how it ended.
  func receive(_ count: Int = .max) async -> (text: String, ended: Bool, closed: Bool) {
    var result = (text: "", ended: false, closed: false)
    for await event in events {
      switch event {
      case .bytes(let text): result.text += text
      case .end: result.ended = true
      case .closed: result.closed = true
      }
      if result.text.utf8.count >= count || (result.ended && count != .max) || result.closed { break }
    }
    return result
  }

  /// Waits until the peer has said all or is gone.
  func receiveToTheEnd() async -> (text: String, ended: Bool) {
    let result = await receive(.max - 1)
    return (result.text, result.ended)
  }

  /// Turns what a socket says into events.
  final class Recorder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncStream<Event>.Continuation

    private init(_ continuation: AsyncStream<Event>.Continuation) { self.continuation = continuation }

    static func make() -> (AsyncStream<Event>, Recorder) {
      let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
      return (stream, Recorder(continuation))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      continuation.yield(.bytes(String(buffer: unwrapInboundIn(data))))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent { continuation.yield(.end) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
      continuation.yield(.closed)
      continuation.finish()
    }
  }
}

/// A server in a test's hands.
final class WireServer: Sendable {
  let port: Int
  private let channel: any Channel
  private let accepted: AsyncStream<Wire>

  init() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Wire.self)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        let (events, handler) = Wire.Recorder.make()
        continuation.yield(Wire(channel, events))
        return channel.pipeline.addHandler(handler)
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    accepted = stream
  }

  /// The next connection.
  func next() async throws -> Wire {
    for await wire in accepted { return wire }
    throw ChannelError.eof
  }

  func stop() async { try? await channel.close() }
}
