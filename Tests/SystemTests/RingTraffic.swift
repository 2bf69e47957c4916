import Foundation
import TestKit

/// Traces that go round a ring of three regions, one to four calls each, from a seed; and what is to become of them
/// where every route of the ring has the probability 0.5.
struct RingTraffic {
  static let regions = ["us-east-1", "us-west-2", "eu-west-1"]
  /// As the relays' configuration has it.
  static let routes = """
    routes:
      - {from: us-east-1, to: us-west-2, sampling: 0.5}
      - {from: us-west-2, to: eu-west-1, sampling: 0.5}
      - {from: eu-west-1, to: us-east-1, sampling: 0.5}
    """

  /// A span and where it was emitted.
  struct Emitted {
    var region: Int
    var span: OTLPSpan
    /// Whether it says which region it speaks with.
    var namesPeer: Bool
  }

  /// One call from a region to the next in the ring.
  struct Call {
    var client: OTLPSpan
    var server: OTLPSpan
    var source: Int

    var isError: Bool { client.status.code == .error || server.status.code == .error }
  }

  struct Trace {
    var id: Data
    /// 56 bits, from the trace ID or from `rv`.
    var randomness: UInt64
    var spans: [Emitted] = []
    var calls: [Call] = []

    /// Whether a route at 0.5 keeps it.
    var isKept: Bool { randomness >= 1 << 55 }
  }

  private var random: SeededGenerator
  private(set) var traces: [Trace] = []

  init(seed: UInt64, traces count: Int) {
    random = SeededGenerator(seed: seed)
    for _ in 0..<count { traces.append(trace()) }
  }

  var keptIDs: Set<Data> { Set(traces.filter(\.isKept).map(\.id)) }

  private mutating func trace() -> Trace {
    let low = random.next()
    let id = OTLPSpan.traceID(random.next() | 1, low)
    let (state, randomness) = context(low & 0xff_ffff_ffff_ffff)
    var trace = Trace(id: id, randomness: randomness)
    var region = Int.random(in: 0..<3, using: &random)
    var parent = span(id, 0, .server, state, length: 900)
    trace.spans.append(Emitted(region: region, span: parent, namesPeer: false))
    for hop in 0..<Int.random(in: 1...4, using: &random) {
      let next = (region + 1) % 3
      let length = 800 - UInt64(hop) * 150
      var client = span(id, parent.id, .client, state, length: length)
      client.attributes.append(.text("peer.region", Self.regions[next]))
      var server = span(id, client.id, .server, state, length: length - UInt64.random(in: 10...90, using: &random))
      server.attributes.append(.text("client.region", Self.regions[region]))
      if random.one(in: 7) { server = server.failing() }
      if random.one(in: 9) { client = client.failing() }
      let work = span(id, server.id, .internal, state, length: 5)
      trace.spans += [
        Emitted(region: region, span: client, namesPeer: true), Emitted(region: next, span: server, namesPeer: true),
        Emitted(region: next, span: work, namesPeer: false),
      ]
      trace.calls.append(Call(client: client, server: server, source: region))
      parent = server
      region = next
    }
    return trace
  }

  /// A tracestate as a trace's root has it, and the randomness that goes with it.
  private mutating func context(_ randomness: UInt64) -> (state: String, randomness: UInt64) {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return ("vendor=x:y,congo=t61rcWkgMzE", randomness)
    case 1: return ("vendor=x,ot=k:v;zz:1", randomness)
    case 2:
      let own = random.next() >> 8
      let digits = String(own, radix: 16)
      return ("ot=rv:" + String(repeating: "0", count: 14 - digits.count) + digits, own)
    case 3 where randomness >= 1 << 54: return ("ot=th:4;k:v,vendor=x", randomness)
    default: return ("", randomness)
    }
  }

  private mutating func span(
    _ trace: Data, _ parent: UInt64, _ kind: OTLPSpan.SpanKind, _ state: String, length: UInt64
  ) -> OTLPSpan {
    OTLPSpan(
      trace, random.next() | 1, in: parent, kind, to: length, state: state,
      [.text("http.route", "/orders/{id}"), .number("number", Int64(random.next() % 1000))])
  }

  /// What each region's applications send: first requests with the spans that name a peer, and some of the others
  /// before those of their own trace; then requests with the rest.
  mutating func requests(of region: Int, spansEach: Int) -> (first: [OTLPRequest], then: [OTLPRequest]) {
    var first: [OTLPSpan] = []
    var then: [OTLPSpan] = []
    for trace in traces.shuffled(using: &random) {
      let own = trace.spans.filter { $0.region == region }
      let others = own.filter { !$0.namesPeer }.map(\.span)
      let naming = own.filter(\.namesPeer).map(\.span)
      if random.one(in: 3), !naming.isEmpty, first.count % spansEach + others.count < spansEach {
        first += others
      } else {
        then += others
      }
      first += naming
    }
    return (pieces(first, region, spansEach), pieces(then.shuffled(using: &random), region, spansEach))
  }

  private func pieces(_ spans: [OTLPSpan], _ region: Int, _ size: Int) -> [OTLPRequest] {
    stride(from: 0, to: spans.count, by: size).map { start in
      // No region in the resource: the relay's own is stamped.
      OTLPRequest([Emission("shop", nil, Array(spans[start..<min(start + size, spans.count)]))])
    }
  }
}

extension OTLPSpan {
  /// The span ID as a number.
  var id: UInt64 { spanID.reduce(0) { $0 << 8 | UInt64($1) } }
}
