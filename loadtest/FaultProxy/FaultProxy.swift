// Stands between a client and a server on TCP, and makes the link between them as long, as narrow and as broken as a
// test or a measurement wants it, at any time. It knows nothing of what travels.
//
// `Lane` decides for one direction of one connection what goes on when, `LinkPace` is the bandwidth that all
// connections share; both are values without I/O and clock. `LaneRunner`, `ProxiedConnection`, `ProxyEnd` and
// `ProxyCore` carry that out on one event loop of SwiftNIO. Input: connections to `address`. Output: connections to the
// server. What TCP itself would do on such a link, its congestion control and its retransmissions, is not imitated.

import NIOCore
import NIOPosix

/// A TCP proxy with faults that are switched at run time.
public final class FaultProxy: Sendable {
  private let core: NIOLoopBound<ProxyCore>
  private let listener: any Channel

  private init(_ core: NIOLoopBound<ProxyCore>, _ listener: any Channel) {
    (self.core, self.listener) = (core, listener)
  }

  /// Starts one; a port of 0 picks a free one.
  public static func start(
    on address: SocketEndpoint = SocketEndpoint(host: "127.0.0.1", port: 0), to server: SocketEndpoint,
    _ conditions: LinkConditions = LinkConditions()
  ) async throws -> FaultProxy {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let core = try await loop.submit {
      NIOLoopBound(ProxyCore(loop, host: server.host, port: server.port, conditions), eventLoop: loop)
    }.get()
    let listener = try await ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.recvAllocator, value: ProxyCore.reading)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try core.value.accept(channel) }
      }
      .bind(host: address.host, port: address.port).get()
    return FaultProxy(core, listener)
  }

  /// Where it listens.
  public var address: SocketEndpoint {
    SocketEndpoint(
      host: listener.localAddress?.ipAddress ?? "", port: listener.localAddress?.port ?? 0)
  }

  /// What the link is like from now on, for all connections.
  public func set(_ conditions: LinkConditions) async throws {
    try await on { $0.set(conditions) }
  }

  /// What is wrong with the link from now on; the rest stays as it is.
  public func set(_ fault: Fault) async throws {
    try await on { core in
      var conditions = core.conditions
      conditions.fault = fault
      core.set(conditions)
    }
  }

  /// The link as it is.
  public var conditions: LinkConditions {
    get async throws { try await on { $0.conditions } }
  }

  /// What has come through so far.
  public var counts: ProxyCounts {
    get async throws { try await on { $0.counts } }
  }

  /// Waits until it has ended.
  public func waitForEnd() async throws { try await listener.closeFuture.get() }

  /// Ends listening and resets all connections.
  public func stop() async throws {
    try? await listener.close()
    try await on { $0.stop() }
  }

  private func on<Value: Sendable>(_ body: @escaping @Sendable (ProxyCore) -> Value) async throws -> Value {
    let core = core
    return try await listener.eventLoop.submit { body(core.value) }.get()
  }
}
