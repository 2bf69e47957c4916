internal import Synchronization
public import Telemetry

/// What one exporter has done, over all its lanes: written by their threads, read by a scrape.
public final class ExporterCounters: Sendable {
  /// Why spans did not reach this exporter's destination.
  public enum DropReason: String, CaseIterable, Sendable {
    case queueFull = "queue_full"
    case refused
    case rejected
    case gaveUp = "gave_up"
    case abandoned
  }

  /// One atomic number.
  private final class Cell: Sendable {
    let value = Atomic<Int>(0)
    var number: Double { Double(value.load(ordering: .relaxed)) }
    func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }
    func set(_ amount: Int) { value.store(amount, ordering: .relaxed) }
  }

  private static func cells(_ count: Int) -> [Cell] { (0..<count).map { _ in Cell() } }

  /// The names of the gRPC status codes 0 to 16.
  private static let codeNames = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  /// The exporter's name in the configuration.
  public let name: String
  /// Its queue's size, shared by its lanes.
  public let capacity: ByteBudget
  private let sentBytes = Cell()
  private let sentSpans = Cell()
  private let retryCount = Cell()
  private let requestCounts = ExporterCounters.cells(ExporterCounters.codeNames.count)
  private let closedConnections: LabelledCounter
  private let droppedSpans = ExporterCounters.cells(DropReason.allCases.count)
  private let inFlight: [Cell]
  private let connections: [Cell]

  /// Makes counters at zero for an exporter with so many lanes.
  public init(name: String, lanes: Int = 1, capacity: ByteBudget) {
    self.name = name
    self.capacity = capacity
    closedConnections = LabelledCounter(
      "longspan_exporter_connections_closed_total",
      help: "Connections that failed, were ended by the peer, or were ended for what it did.",
      labelNames: ["exporter", "reason"], cap: 64)
    inFlight = Self.cells(lanes)
    connections = Self.cells(lanes)
  }

  /// Books a request that was sent: its bytes on the wire, and whether it was a retry.
  public func sent(bytes: Int, attempt: Int) {
    sentBytes.add(bytes)
    if attempt > 1 { retryCount.add(1) }
  }

  /// Books a request's end.
  public func answered(_ answer: DeliveryAnswer) { requestCounts[answer.code].add(1) }

  /// Books a connection that could not be made, that the peer ended, or that was ended for what it did.
  public func connectionClosed(for reason: String) { closedConnections.add(1, [name, reason]) }

  /// Books spans that this exporter did not get.
  public func dropped(_ spans: Int, _ reason: DropReason) {
    guard spans > 0, let index = DropReason.allCases.firstIndex(of: reason) else { return }
    droppedSpans[index].add(spans)
  }

  /// Books what a settled batch brought to its destination, and what it lost.
  public func settled(_ settlement: Settlement) {
    sentSpans.add(settlement.forwarded)
    dropped(settlement.rejectedBefore, .rejected)
    let lost = settlement.undeliverable - settlement.rejectedBefore
    switch settlement.cause {
    case .delivered: dropped(lost, .rejected)
    case .refused: dropped(lost, .refused)
    case .gaveUp: dropped(lost, .gaveUp)
    case .abandoned: dropped(lost, .abandoned)
    }
  }

  /// Shows how a lane stands. To be called by the lane's thread after it carried out a forwarder's commands.
  public func publish(_ forwarder: Forwarder, lane: Int) {
    inFlight[lane].set(forwarder.inFlightRequests)
    connections[lane].set(forwarder.readyConnections)
  }

  /// Bytes sent so far.
  public var sentByteCount: Int { sentBytes.value.load(ordering: .relaxed) }
  /// Connections that are up, over all lanes.
  public var readyConnections: Int { connections.reduce(0) { $0 + $1.value.load(ordering: .relaxed) } }
  /// Requests not answered, over all lanes.
  public var inFlightRequests: Int { inFlight.reduce(0) { $0 + $1.value.load(ordering: .relaxed) } }

  /// The metrics of all exporters.
  public static func metricFamilies(_ exporters: [ExporterCounters]) -> [MetricFamily] {
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ number: (ExporterCounters) -> Double
    ) -> MetricFamily {
      MetricFamily(
        "longspan_exporter_" + name, kind, help: help,
        samples: exporters.map { MetricSample([("exporter", $0.name)], number($0)) })
    }
    return [
      family("sent_bytes_total", .counter, "Bytes of requests sent, as on the wire.") { $0.sentBytes.number },
      family("sent_spans_total", .counter, "Spans that an exporter's destination took.") { $0.sentSpans.number },
      MetricFamily(
        "longspan_exporter_requests_total", .counter, help: "Requests that ended, by gRPC or HTTP status code.",
        samples: exporters.flatMap(\.requestSamples)),
      family("retries_total", .counter, "Requests that were sent again.") { $0.retryCount.number },
      MetricFamily(
        "longspan_exporter_dropped_spans_total", .counter, help: "Spans that an exporter's destination did not get.",
        samples: exporters.flatMap(\.droppedSamples)),
      family("queue_bytes", .gauge, "Bytes in the sending queue.") { Double($0.capacity.used) },
      family("queue_capacity_bytes", .gauge, "Bytes the sending queue may hold.") { Double($0.capacity.limit) },
      family("in_flight_requests", .gauge, "Requests sent and not answered.") { Double($0.inFlightRequests) },
      family("connections", .gauge, "Connections that are up.") { Double($0.readyConnections) },
    ] + closed(exporters)
  }

  private static func closed(_ exporters: [ExporterCounters]) -> [MetricFamily] {
    guard var family = exporters.first?.closedConnections.family() else { return [] }
    family.samples = exporters.flatMap { $0.closedConnections.family().samples }
    return [family]
  }

  /// Success always, and every failure that happened.
  private var requestSamples: [MetricSample] {
    zip(Self.codeNames, requestCounts).filter { $0 == "OK" || $1.number > 0 }.map { code, count in
      MetricSample([("exporter", name), ("code", code)], count.number)
    }
  }

  private var droppedSamples: [MetricSample] {
    zip(DropReason.allCases, droppedSpans).map { reason, count in
      MetricSample([("exporter", name), ("reason", reason.rawValue)], count.number)
    }
  }
}
