internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import TLSEngine
internal import Telemetry
internal import Transport

/// A role's event loops, its listeners and what they count.
final class Listeners: Sendable {
  let group: MultiThreadedEventLoopGroup
  let counters: ConnectionCounters
  private let listeners: [Listener]
  /// Where each listener with TLS finds its context, by the listener's name.
  private let tls: [String: TLSContextSource]

  private init(
    group: MultiThreadedEventLoopGroup, counters: ConnectionCounters, listeners: [Listener],
    tls: [String: TLSContextSource]
  ) {
    self.group = group
    self.counters = counters
    self.listeners = listeners
    self.tls = tls
  }

  /// Binds every configured OTLP receiver. Throws `StartFailure` naming the one that cannot be.
  static func bind(
    _ receivers: OTLPReceiverConfiguration, limits: LimitsConfiguration, group: MultiThreadedEventLoopGroup,
    budget: ByteBudget, ledger: SpanLedger, retryAfter: Duration,
    consumer: @escaping @Sendable (any EventLoop) -> any SpanConsumer
  ) async throws -> Listeners {
    let context = { @Sendable (loop: any EventLoop) in
      IntakeContext(
        requestBytesMax: limits.maxRequestBytes, retryAfter: retryAfter, consumer: consumer(loop), budget: budget,
        ledger: ledger)
    }
    let counters = ConnectionCounters(connectionsMax: limits.maxConnections)
    let loops = Array(group.makeIterator())
    let grpc = try await PerLoop<any RequestService>(on: loops) { loop, _ in OTLPGRPCService(context(loop)) }
    let http = try await PerLoop<any RequestService>(on: loops) { loop, _ in OTLPHTTPService(context(loop)) }
    var bound: [Listener] = []
    var sources: [String: TLSContextSource] = [:]
    func open(
      _ name: String, _ listener: ListenerConfiguration?, _ protocols: ListenerOptions.Protocols,
      _ services: PerLoop<any RequestService>
    ) async throws {
      guard let listener else { return }
      sources[name] = try listener.tls.map { TLSContextSource(try serverContext($0, of: name, protocols)) }
      let options = ListenerOptions(
        name: name, host: listener.host, port: listener.port, protocols: protocols,
        tls: sources[name],
        http2: HTTP2Limits(maxConcurrentStreams: limits.maxConcurrentStreams))
      do {
        bound.append(try await Listener.bind(options, group: group, services: services, counters: counters))
      } catch {
        throw StartFailure(message: "cannot listen on \(listener.host):\(listener.port) for \(name): \(error)")
      }
    }
    try await open("otlp_grpc", receivers.grpc, .http2, grpc)
    try await open("otlp_http", receivers.http, .http1AndHTTP2, http)
    return Listeners(group: group, counters: counters, listeners: bound, tls: sources)
  }

  private static func serverContext(
    _ files: ServerTLSFiles, of name: String, _ protocols: ListenerOptions.Protocols
  ) throws -> TLSContext {
    do {
      return try TLSContext(
        server: TLSServerConfiguration(
          certificate: .file(files.certificate), key: .file(files.key),
          clientAuthorities: files.clientAuthority.map { .file($0) },
          applicationProtocols: protocols == .http2 ? ["h2"] : ["h2", "http/1.1"]))
    } catch {
      throw StartFailure(message: "TLS of \(name): \(error)")
    }
  }

  /// Names and bound addresses.
  var addresses: [(name: String, address: String)] { listeners.map { ($0.name, $0.address) } }

  /// When the first of the certificates shown here expires, in seconds since the Unix epoch.
  var certificateExpiry: Int64? { tls.values.compactMap(\.current.certificateExpiry).min() }

  /// Reads the certificates of a new configuration. Nothing is changed before the returned closure is called.
  func renewal(_ receivers: OTLPReceiverConfiguration) throws -> @Sendable () -> Void {
    let named: [(String, ListenerConfiguration?, ListenerOptions.Protocols)] = [
      ("otlp_grpc", receivers.grpc, .http2), ("otlp_http", receivers.http, .http1AndHTTP2),
    ]
    var renewed: [(TLSContextSource, TLSContext)] = []
    for (name, listener, protocols) in named {
      guard let source = tls[name], let files = listener?.tls else { continue }
      renewed.append((source, try Self.serverContext(files, of: name, protocols)))
    }
    return { [renewed] in
      for (source, context) in renewed { source.replace(with: context) }
    }
  }

  /// Stops accepting and lets the requests in flight finish.
  func drain(within limit: Duration) async {
    await withTaskGroup(of: Void.self) { tasks in
      for listener in listeners { tasks.addTask { await listener.drain(within: limit) } }
    }
  }
}
