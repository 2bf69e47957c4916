/// Which spans of which traces a request has.
public enum TrafficLayout: String, Sendable, CaseIterable {
  /// What applications send the relay of their region: everything was emitted in one region, and attributes name the
  /// regions of peers. What the peers did is in nobody's request.
  case relay
  /// Whole traces, the fragments of two or three regions in one request.
  case aggregator
  /// What relays send: each request has the fragments of one region, and a trace's come in up to three requests, one
  /// after the other.
  case fragments
}

/// The world that the spans come from. A trace has five spans, and they belong to five services.
enum Scenery {
  static let services = ["gateway", "frontend", "product", "inventory", "order"]
  static let spansPerTrace = 5
  /// The region of a relay's own spans; also where every trace begins.
  static let home = "us-east-1"
  static let remotes = ["us-west-2", "eu-west-1", "ap-south-1", "sa-east-1"]
  /// Where a trace of two or three regions goes on.
  static let stations = [home, "us-west-2", "eu-west-1"]
}

/// One span of a request, before it has IDs and texts.
struct SpanPlan: Equatable {
  /// Numbered as in OTLP.
  enum Kind: UInt64 {
    case server = 2
    case client = 3
  }

  /// The trace, numbered within the request (or the requests that share traces).
  var trace: Int
  /// The span's number within its trace; what lies past `spansPerTrace` is in no request.
  var place: Int
  var parent: Int?
  /// An index into `Scenery.services`.
  var service: Int
  var kind: Kind
  var region: String
  /// The other side's region, where an attribute names it.
  var peer: String?
}

extension SpanPlan {
  /// The five spans of a trace whose other regions have no part in the request: two calls out of the region, and two
  /// calls back into it, whose parents are elsewhere. Odd traces touch three regions, even ones two.
  static func atHome(trace: Int) -> [SpanPlan] {
    let first = Scenery.remotes[trace % Scenery.remotes.count]
    let second = Scenery.remotes[(trace + trace % 2) % Scenery.remotes.count]
    let links: [(parent: Int?, kind: Kind, peer: String?)] = [
      (nil, .server, nil), (0, .client, first), (5, .server, first), (2, .client, second), (6, .server, second),
    ]
    return links.enumerated().map { place, link in
      SpanPlan(
        trace: trace, place: place, parent: link.parent, service: place, kind: link.kind, region: Scenery.home,
        peer: link.peer)
    }
  }

  /// The five spans of a whole trace: odd ones cross from the first region to the second and on to the third, even
  /// ones stay in the second.
  static func whole(trace: Int) -> [SpanPlan] {
    let (home, second, third) = (Scenery.stations[0], Scenery.stations[1], Scenery.stations[2])
    let goesOn = trace % 2 == 1
    func span(_ place: Int, _ service: Int, _ kind: Kind, _ region: String, _ peer: String?) -> SpanPlan {
      SpanPlan(
        trace: trace, place: place, parent: place > 0 ? place - 1 : nil, service: service, kind: kind, region: region,
        peer: peer)
    }
    return [
      span(0, 0, .server, home, nil), span(1, 1, .client, home, second), span(2, 2, .server, second, home),
      span(3, 3, .client, second, goesOn ? third : nil),
      goesOn ? span(4, 4, .server, third, second) : span(4, 2, .server, second, nil),
    ]
  }
}

extension TrafficLayout {
  /// The spans of the requests that share traces, and how many traces those are. Requests have `spanCount` spans; the
  /// parts of a whole have that many on average.
  func requests(spanCount: Int) -> (requests: [[SpanPlan]], traces: Int) {
    switch self {
    case .relay: return ([Self.plans(spanCount, SpanPlan.atHome)], Self.traces(spanCount))
    case .aggregator: return ([Self.plans(spanCount, SpanPlan.whole)], Self.traces(spanCount))
    case .fragments:
      let spans = Self.plans(spanCount * Scenery.stations.count, SpanPlan.whole)
      let parts = Scenery.stations.map { region in spans.filter { $0.region == region } }
      return (parts, Self.traces(spanCount * Scenery.stations.count))
    }
  }

  private static func traces(_ spanCount: Int) -> Int {
    (spanCount + Scenery.spansPerTrace - 1) / Scenery.spansPerTrace
  }

  private static func plans(_ spanCount: Int, _ trace: (Int) -> [SpanPlan]) -> [SpanPlan] {
    Array((0..<traces(spanCount)).flatMap(trace).prefix(spanCount))
  }
}
