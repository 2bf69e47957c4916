internal import HTTP2Engine
internal import Synchronization
public import Telemetry

/// What the listeners of one process count, and the caps on connections they share.
public final class ConnectionCounters: Sendable {
  /// Why a request was given up whose connection may go on.
  enum CutOff: String, CaseIterable {
    /// Its body came too slowly, or not at all.
    case slowBody = "slow_body"
    /// Its answer was not read.
    case unreadAnswer = "unread_answer"
  }

  private let accepted = AtomicCounter()
  private let peers: PeerConnections
  private let refused = PeerConnections.Refusal.allCases.map { _ in AtomicCounter() }
  private let cutOff = CutOff.allCases.map { _ in AtomicCounter() }
  private let closedFor = LabelledCounter(
    "longspan_connections_closed_total", help: "Connections closed for what the peer did or did not do.",
    labelNames: ["reason"], cap: 64)
  private let refusedStreams = LabelledCounter(
    "longspan_http2_refused_streams_total", help: "Requests refused for how they use HTTP/2.", labelNames: ["reason"],
    cap: 16, present: StreamRefusals.Reason.allCases.map { [$0.rawValue] })

  /// Counters with a cap on connections that are open at once, and on those of one address; 0 is none on the latter.
  public init(connectionsMax: Int, perPeerMax: Int = 0) {
    peers = PeerConnections(connectionsMax: connectionsMax, perPeerMax: perPeerMax)
  }

  /// Changes the caps. Connections that are open stay, also those beyond.
  public func resize(connectionsMax: Int, perPeerMax: Int) {
    peers.resize(connectionsMax: connectionsMax, perPeerMax: perPeerMax)
  }

  /// Connections open now.
  public var open: Int { peers.open }

  /// Books a new connection. False: a cap is reached and the connection is to be closed at once.
  func admit(_ address: String) -> Bool {
    if let refusal = peers.admit(address) {
      for (candidate, counter) in zip(PeerConnections.Refusal.allCases, refused) where candidate == refusal {
        counter.add(1)
      }
      return false
    }
    accepted.add(1)
    return true
  }

  func ended(_ address: String) { peers.ended(address) }

  func closed(for reason: String) { closedFor.add(1, [reason]) }

  func refused(_ refusals: StreamRefusals) {
    for (reason, count) in refusals.counts { refusedStreams.add(count, [reason.rawValue]) }
  }

  func cutOff(_ count: Int = 1, for cause: CutOff) {
    for (candidate, counter) in zip(CutOff.allCases, cutOff) where candidate == cause { counter.add(count) }
  }

  /// The counters as metrics.
  public func families() -> [MetricFamily] {
    [
      MetricFamily(
        "longspan_connections", .gauge, help: "Connections open now.", samples: [MetricSample([], Double(open))]),
      MetricFamily(
        "longspan_connection_peers", .gauge, help: "Addresses that have connections open now.",
        samples: [MetricSample([], Double(peers.peers))]),
      MetricFamily(
        "longspan_connections_accepted_total", .counter, help: "Connections accepted.",
        samples: [MetricSample([], Double(accepted.value))]),
      MetricFamily(
        "longspan_connections_refused_total", .counter, help: "Connections refused, by the limit that was reached.",
        samples: zip(PeerConnections.Refusal.allCases, refused).map {
          MetricSample([("limit", $0.rawValue)], Double($1.value))
        }),
      closedFor.family(),
      refusedStreams.family(),
      MetricFamily(
        "longspan_requests_cut_off_total", .counter, help: "Requests given up because their peers did not go on.",
        samples: zip(CutOff.allCases, cutOff).map { MetricSample([("reason", $0.rawValue)], Double($1.value)) }),
    ]
  }
}
