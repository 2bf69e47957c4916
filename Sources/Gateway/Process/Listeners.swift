internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import TLSEngine
internal import Telemetry
internal import Tenancy
internal import Transport

/// A role's event loops, its listeners and what they count.
final class Listeners: Sendable {
  /// A receiver: its name, what may be spoken there, and where the configuration has it.
  private struct Receiver {
    let name: String
    let protocols: ListenerOptions.Protocols
    let configuration: (ReceiversConfiguration) -> ListenerConfiguration?
    let service: @Sendable (IntakeContext) -> any IntakeService
  }

  private static var receivers: [Receiver] {
    [
      Receiver(
        name: "otlp_grpc", protocols: .http2, configuration: { $0.otlp.grpc },
        service: { GRPCTraceService([.otlpExport], $0) }),
      Receiver(
        name: "otlp_http", protocols: .http1AndHTTP2, configuration: { $0.otlp.http },
        service: { HTTPTraceService(.otlp, $0) }),
      Receiver(
        name: "zipkin", protocols: .http1AndHTTP2, configuration: { $0.zipkin },
        service: { HTTPTraceService(.zipkin, $0) }),
      Receiver(
        name: "jaeger_grpc", protocols: .http2, configuration: { $0.jaeger.grpc },
        service: { GRPCTraceService([.jaegerPostSpans, .jaegerSamplingStrategy], $0) }),
      Receiver(
        name: "jaeger_thrift_http", protocols: .http1AndHTTP2, configuration: { $0.jaeger.thriftHTTP },
        service: { HTTPTraceService(.jaegerThrift, $0) }),
      Receiver(
        name: "sampling_grpc", protocols: .http2, configuration: { $0.jaeger.samplingGRPC },
        service: { GRPCTraceService([.jaegerSamplingStrategy], $0) }),
      Receiver(
        name: "sampling_http", protocols: .http1AndHTTP2, configuration: { $0.jaeger.samplingHTTP },
        service: { SamplingHTTPService($0) }),
    ]
  }

  /// A receiver that listens.
  private struct Bound: Sendable {
    let listener: Listener
    let services: PerLoop<any IntakeService>
    let tls: TLSContextSource?
  }

  let group: MultiThreadedEventLoopGroup
  let counters: ConnectionCounters
  private let budget: ByteBudget
  private let bound: [Bound]

  private init(
    group: MultiThreadedEventLoopGroup, counters: ConnectionCounters, budget: ByteBudget, bound: [Bound]
  ) {
    self.group = group
    self.counters = counters
    self.budget = budget
    self.bound = bound
  }

  /// Binds every configured receiver. Throws `StartFailure` naming the one that cannot be.
  static func bind(
    _ configuration: ReceiversConfiguration, limits: LimitsConfiguration, threads: RoleLoops, budget: ByteBudget,
    ledger: SpanLedger, retryAfter: Duration, tenants: Tenants? = nil, samplingProbability: Double = 1,
    consumer: @escaping @Sendable (any EventLoop) -> any SpanConsumer
  ) async throws -> Listeners {
    let counters = ConnectionCounters(
      connectionsMax: limits.maxConnections, perPeerMax: limits.maxConnectionsPerPeer)
    let loops = threads.all
    var bound: [Bound] = []
    for receiver in receivers {
      guard let place = receiver.configuration(configuration) else { continue }
      let access = try Access(place.auth, of: receiver.name)
      let services = try await PerLoop<any IntakeService>(on: loops) { [service = receiver.service] loop, number in
        var context = IntakeContext(
          requestBytesMax: limits.maxRequestBytes, retryAfter: retryAfter, consumer: consumer(loop), budget: budget,
          ledger: ledger, offload: BulkLoop(threads.bulk[number], of: loop))
        context.samplingProbability = samplingProbability
        context.access = access
        context.tenants = tenants
        return service(context)
      }
      let tls = try place.tls.map { TLSContextSource(try serverContext($0, of: receiver)) }
      let options = ListenerOptions(
        name: receiver.name, host: place.host, port: place.port, protocols: receiver.protocols, tls: tls,
        http2: HTTP2Limits(limits, memoryBytes: budget.limit), timeouts: ConnectionTimeouts(limits))
      let requests = try await PerLoop<any RequestService>(on: loops) { loop, _ in services.value(on: loop) }
      do {
        let listener = try await Listener.bind(
          options, group: threads.group, services: requests, turns: threads.turns, counters: counters)
        bound.append(Bound(listener: listener, services: services, tls: tls))
      } catch {
        throw StartFailure(message: "cannot listen on \(place.host):\(place.port) for \(receiver.name): \(error)")
      }
    }
    return Listeners(group: threads.group, counters: counters, budget: budget, bound: bound)
  }

  private static func serverContext(_ files: ServerTLSFiles, of receiver: Receiver) throws -> TLSContext {
    do {
      return try TLSContext(
        server: TLSServerConfiguration(
          certificate: .file(files.certificate), key: .file(files.key),
          clientAuthorities: files.clientAuthority.map { .file($0) },
          applicationProtocols: receiver.protocols == .http2 ? ["h2"] : ["h2", "http/1.1"]))
    } catch {
      throw StartFailure(message: "TLS of \(receiver.name): \(error)")
    }
  }

  /// Names and bound addresses.
  var addresses: [(name: String, address: String)] { bound.map { ($0.listener.name, $0.listener.address) } }

  /// When the first of the certificates shown here expires, in seconds since the Unix epoch.
  var certificateExpiry: Int64? { bound.compactMap { $0.tls?.current.certificateExpiry }.min() }

  /// Reads the certificates and credentials of a new configuration, and makes ready its limits. Certificates and limits
  /// hold for new connections, but the size of requests and the caps on connections for all; credentials for all
  /// requests from now on.
  func change(
    to configuration: ReceiversConfiguration, _ limits: LimitsConfiguration, samplingProbability: Double = 1
  ) throws -> PreparedChange {
    var renewed: [(TLSContextSource, TLSContext)] = []
    var access: [String: Access] = [:]
    for receiver in Self.receivers {
      if let place = receiver.configuration(configuration) {
        access[receiver.name] = try Access(place.auth, of: receiver.name)
      }
      guard let source = bound.first(where: { $0.listener.name == receiver.name })?.tls,
        let files = receiver.configuration(configuration)?.tls
      else { continue }
      renewed.append((source, try Self.serverContext(files, of: receiver)))
    }
    return { [self, renewed, access] in
      for (source, context) in renewed { source.replace(with: context) }
      counters.resize(connectionsMax: limits.maxConnections, perPeerMax: limits.maxConnectionsPerPeer)
      for receiver in bound {
        receiver.listener.adopt(
          http2: HTTP2Limits(limits, memoryBytes: budget.limit), timeouts: ConnectionTimeouts(limits))
        let admitted = access[receiver.listener.name]
        _ = await receiver.services.map {
          if let admitted { $0.context.access = admitted }
          $0.context.requestBytesMax = limits.maxRequestBytes
          $0.context.samplingProbability = samplingProbability
        }
      }
    }
  }

  /// Stops accepting and lets the requests in flight finish.
  func drain(within limit: Duration) async {
    await withTaskGroup(of: Void.self) { tasks in
      for receiver in bound { tasks.addTask { await receiver.listener.drain(within: limit) } }
    }
  }
}

extension HTTP2Limits {
  /// What the `limits` section says of a connection. Its windows grow with the memory: what is let in is charged, so
  /// they promise nothing, but a window is all that a long link can carry in a round trip.
  fileprivate init(_ limits: LimitsConfiguration, memoryBytes: Int) {
    let window = Int32(clamping: min(max(memoryBytes / 16, 8 << 20), 32 << 20))
    self.init(maxConcurrentStreams: limits.maxConcurrentStreams, streamWindow: window / 8, connectionWindow: window)
  }
}

extension ConnectionTimeouts {
  /// What the `limits` section says of time.
  fileprivate init(_ limits: LimitsConfiguration) {
    self.init(
      handshake: limits.handshakeTimeout, header: limits.headerTimeout, stall: limits.stallTimeout,
      request: limits.requestTimeout, idle: limits.idleTimeout)
  }
}
