public import HTTP2Engine
internal import NIOCore
public import NIOPosix
internal import Synchronization

/// One listening socket and the connections it accepted.
public final class Listener: Sendable {
  /// Name for log lines.
  public let name: String
  /// The address it is bound to, with the port the system chose where 0 was asked for.
  public let address: String
  private let channel: any Channel
  private let registries: PerLoop<ConnectionRegistry>
  private let options: OptionsInForce

  private init(
    address: String, channel: any Channel, registries: PerLoop<ConnectionRegistry>, options: OptionsInForce
  ) {
    name = options.value.name
    self.address = address
    self.channel = channel
    self.registries = registries
    self.options = options
  }

  /// Binds and begins to accept on the group's loops; each loop's connections are served by its own service. `turns` are
  /// the loops' own; by default nobody else has any.
  /// Throws what the system says when the address cannot be bound.
  public static func bind(
    _ options: ListenerOptions, group: MultiThreadedEventLoopGroup, services: PerLoop<any RequestService>,
    turns: PerLoop<Turns>? = nil, counters: ConnectionCounters
  ) async throws -> Listener {
    let loops = Array(group.makeIterator())
    let registries = try await PerLoop(on: loops) { loop, _ in
      ConnectionRegistry(loop, turns?.value(on: loop) ?? Turns(loop))
    }
    let scratches = try await PerLoop(on: loops) { _, _ in ScratchBuffer() }
    let inForce = OptionsInForce(options)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // One read for each connection in turn, however much more of one has come.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      // Whoever has sent everything may say so and still gets its answer.
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: 65_536)
      )
      .childChannelInitializer { child in
        child.eventLoop.makeCompletedFuture {
          let address = child.remoteAddress?.ipAddress ?? ""
          guard counters.admit(address) else { throw ConnectionRefused() }
          child.closeFuture.whenComplete { _ in counters.ended(address) }
          let loop = child.eventLoop
          try child.pipeline.syncOperations.addHandler(
            ServerConnection(
              inForce.value, service: services.value(on: loop), counters: counters,
              registry: registries.value(on: loop), scratch: scratches.value(on: loop)))
        }
      }
    let channel = try await KeepAlive.options.reduce(bootstrap) { $0.childChannelOption($1.0, value: $1.1) }
      .bind(host: options.host, port: options.port).get()
    return Listener(
      address: describe(channel.localAddress), channel: channel, registries: registries, options: inForce)
  }

  /// Puts other limits in force for connections from now on; open ones keep theirs.
  public func adopt(http2: HTTP2Limits, timeouts: ConnectionTimeouts) {
    options.change {
      $0.http2 = http2
      $0.timeouts = timeouts
    }
  }

  /// Stops accepting and asks every connection to finish; returns when all have ended, those that have not when the
  /// time is over by being cut off.
  public func drain(within limit: Duration) async {
    try? await channel.close().get()
    for end in await registries.map({ $0.drain(within: limit) }) { try? await end.get() }
    // The loops are still in the middle of what ended the last connections: let them count those.
    _ = await registries.map { $0.count }
  }

  private static func describe(_ address: SocketAddress?) -> String {
    guard let host = address?.ipAddress, let port = address?.port else { return "unknown" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// The options of connections from now on.
private final class OptionsInForce: Sendable {
  private let options: Mutex<ListenerOptions>

  init(_ options: ListenerOptions) { self.options = Mutex(options) }

  var value: ListenerOptions { options.withLock { $0 } }
  func change(_ body: (inout ListenerOptions) -> Void) { options.withLock { body(&$0) } }
}

/// A cap on connections is reached.
struct ConnectionRefused: Error {}
