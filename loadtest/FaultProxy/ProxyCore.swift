import NIOCore
import NIOPosix

/// All connections of a proxy and the link they share. Lives on the proxy's loop.
final class ProxyCore {
  let loop: any EventLoop
  private let (host, port): (String, Int)
  private(set) var conditions: LinkConditions
  var paces: [Direction: LinkPace] = [:]
  private var connections: [ObjectIdentifier: ProxiedConnection] = [:]
  /// What connections that are gone have left behind.
  private var past = ProxyCounts()
  private var isStopped = false

  init(_ loop: any EventLoop, host: String, port: Int, _ conditions: LinkConditions) {
    (self.loop, self.host, self.port, self.conditions) = (loop, host, port, conditions)
  }

  var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

  var counts: ProxyCounts {
    var counts = past
    counts.open = connections.count
    for connection in connections.values {
      counts.add(connection.toServer.lane)
      counts.add(connection.toClient.lane)
    }
    return counts
  }

  /// Takes a client's connection.
  func accept(_ channel: any Channel) throws {
    past.accepted += 1
    let connection = ProxiedConnection(channel, self)
    connections[ObjectIdentifier(connection)] = connection
    try channel.pipeline.syncOperations.addHandler(ProxyEnd(.client, of: connection))
    if isStopped { connection.stop() }
  }

  /// Makes a connection's other half.
  func connect(
    _ connection: ProxiedConnection, completion: @escaping (Result<any Channel, any Error>) -> Void
  ) {
    let end = NIOLoopBound(ProxyEnd(.server, of: connection), eventLoop: loop)
    Self.options.reduce(ClientBootstrap(group: loop)) { $0.channelOption($1.0, value: $1.1) }
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.recvAllocator, value: Self.reading)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(end.value) }
      }
      .connect(host: host, port: port)
      .assumeIsolated()
      .whenComplete(completion)
  }

  static let options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [(.tcpOption(.tcp_nodelay), 1)]
  static let reading = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 65536)

  /// Changes the link under all connections. A fault that stays is not begun anew.
  func set(_ conditions: LinkConditions) {
    let isNewFault = conditions.fault != self.conditions.fault
    self.conditions = conditions
    paces = [:]
    for connection in connections.values {
      connection.toServer.changed(fault: isNewFault)
      connection.toClient.changed(fault: isNewFault)
    }
    for connection in connections.values { connection.proceed() }
  }

  func forget(_ connection: ProxiedConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    past.add(connection.toServer.lane)
    past.add(connection.toClient.lane)
    connection.toServer.stop()
    connection.toClient.stop()
  }

  func stop() {
    isStopped = true
    for connection in connections.values { connection.stop() }
  }
}
