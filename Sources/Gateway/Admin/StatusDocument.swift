internal import Delivery
internal import Foundation
internal import Telemetry
internal import Transport

/// What `/status` shows, written as JSON: role, listeners, queue, peers and the configuration in force, in which
/// secrets are masked.
struct StatusDocument: Encodable, Sendable {
  /// What waits to be sent, over all exporters.
  struct Queue: Encodable, Sendable {
    var spans: Int
    var bytes: Int
    var capacityBytes: Int
  }

  /// One destination: where it is, and how its exporter stands.
  struct Peer: Encodable, Sendable {
    var name: String
    var endpoint: String
    var connections: Int
    var requestsInFlight: Int
    var queueBytes: Int
    var queueCapacityBytes: Int
    /// Why there is no connection; absent while there is one.
    var lastError: String?
  }

  var role: String
  var version = LongspanVersion.text
  var isReady: Bool
  var configurationGeneration: Int
  var configuration: ConfigurationSummary
  /// Bound addresses by listener.
  var listeners: [String: String]
  /// Held spans by stage.
  var heldSpans: [String: Int]
  var queue: Queue
  var peers: [Peer]

  init(_ role: Role, _ started: some StartedRole, exporters: [Exporter], configuration: ConfigurationSummary) {
    self.role = role.rawValue
    isReady = started.isReady
    configurationGeneration = started.process.generation.value
    self.configuration = configuration
    listeners = Dictionary(started.listeners.map { ($0.name, $0.address) }) { first, _ in first }
    heldSpans = Dictionary(uniqueKeysWithValues: HeldStage.allCases.map { ($0.rawValue, started.ledger.held($0)) })
    queue = Queue(
      spans: started.ledger.held(.queue), bytes: exporters.reduce(0) { $0 + $1.counters.capacity.used },
      capacityBytes: exporters.reduce(0) { $0 + $1.counters.capacity.limit })
    peers = exporters.map { exporter in
      Peer(
        name: exporter.name, endpoint: exporter.settings.section.place,
        connections: exporter.counters.readyConnections,
        requestsInFlight: exporter.counters.inFlightRequests, queueBytes: exporter.counters.capacity.used,
        queueCapacityBytes: exporter.counters.capacity.limit,
        lastError: exporter.counters.readyConnections > 0 ? nil : exporter.lastFailure)
    }
  }

  /// The document as JSON text with sorted names.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let data = try? encoder.encode(self) else { return "{}\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
