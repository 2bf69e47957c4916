public import FaultProxy
import Foundation
import HTTP2Engine
import NIOCore
import NIOPosix
import Synchronization
public import TLSEngine
import Transport

/// An OTLP server, gRPC and HTTP on one port, that counts what it gets and keeps nothing.
public final class MeasuringSink: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let services: PerLoop<SinkService>
  private let requests: PerLoop<any RequestService>
  private let connections = ConnectionCounters(connectionsMax: 10_000)
  private let options: ListenerOptions
  private let listener: Mutex<Listener?>
  /// Where it listens, also while it has vanished.
  public let address: String

  private init(
    _ group: MultiThreadedEventLoopGroup, _ services: PerLoop<SinkService>, _ options: ListenerOptions
  ) async throws {
    self.group = group
    self.services = services
    requests = try await PerLoop(on: Array(group.makeIterator())) { loop, _ in services.value(on: loop) }
    let listener = try await Listener.bind(options, group: group, services: requests, counters: connections)
    address = listener.address
    var options = options
    options.port = SocketEndpoint(listener.address)?.port ?? options.port
    self.options = options
    self.listener = Mutex(listener)
  }

  /// Starts one; a port of 0 picks a free one, without `tls` it speaks clear text. `window` is what may be on its way
  /// on each connection, in bytes, and an eighth of it in each request.
  public static func start(
    on endpoint: SocketEndpoint = SocketEndpoint(host: "127.0.0.1", port: 0), tls: TLSServerConfiguration? = nil,
    _ conditions: SinkConditions = SinkConditions(), threads: Int = 1, window: Int = 8 << 20
  ) async throws -> MeasuringSink {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(threads, 1))
    let services = try await PerLoop(on: Array(group.makeIterator())) { loop, _ in SinkService(conditions, on: loop) }
    let window = Int32(clamping: window)
    let options = ListenerOptions(
      name: "sink", host: endpoint.host, port: endpoint.port, protocols: .http1AndHTTP2,
      tls: try tls.map { TLSContextSource(try TLSContext(server: $0)) },
      http2: HTTP2Limits(maxConcurrentStreams: 1000, streamWindow: max(window / 8, 65535), connectionWindow: window))
    return try await MeasuringSink(group, services, options)
  }

  /// What came so far.
  public var counts: SinkCounts {
    get async { await services.map(\.counts).reduce(into: SinkCounts()) { $0.add($1) } }
  }

  /// Does what a line says; the answer, one line: the counts as JSON, or what lines it knows.
  public func obey(_ line: String) async throws -> String {
    guard let command = SinkCommand(line) else {
      return "error: delay TIME | refuse SHARE | vanish | return | status"
    }
    switch command {
    case .delay(let delay): _ = await services.map { $0.conditions.delay = delay }
    case .refuse(let share): _ = await services.map { $0.conditions.refused = share }
    case .vanish: await vanish()
    case .comeBack: try await comeBack()
    case .status: break
    }
    return try await countsText
  }

  /// The counts as one line of JSON.
  public var countsText: String {
    get async throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return String(decoding: try encoder.encode(await counts), as: UTF8.self)
    }
  }

  /// Closes the port and all connections.
  public func vanish() async {
    guard let gone = listener.withLock({ $0.take() }) else { return }
    await gone.drain(within: .zero)
  }

  /// Listens again.
  public func comeBack() async throws {
    guard listener.withLock({ $0 == nil }) else { return }
    let new = try await Listener.bind(options, group: group, services: requests, counters: connections)
    listener.withLock { $0 = new }
  }

  /// Ends it.
  public func stop() async throws {
    await vanish()
    try await group.shutdownGracefully()
  }
}
