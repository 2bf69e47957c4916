import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Every span's fate and every `th` that leaves, against the contract's rule written down a second time.
@Suite(.fewAtOnce) struct ThresholdTests {
  /// Probabilities, a target region for each, and what the contract's precision makes of them.
  private static let routes: [(target: String, probability: String, value: Double, threshold: UInt64)] = [
    ("r-half", "0.5", 0.5, 0x80_0000_0000_0000), ("r-tenth", "0.1", 0.1, 0xe6_6600_0000_0000),
    ("r-hundredth", "0.01", 0.01, 0xfd_70a0_0000_0000), ("r-third", "0.3", 0.3, 0xb3_3300_0000_0000),
    ("r-most", "0.7", 0.7, 0x4c_cd00_0000_0000), ("r-all", "1", 1, 0), ("r-none", "0", 0, 1 << 56),
  ]
  private static let states = ["", "vendor=x", "ot=k:v", "vendor=x,ot=k:v;p:9", "ot=th:XYZ;k:v", "ot=rv:123", "ot="]

  private struct Case {
    var span: OTLPSpan
    var randomness: UInt64
    var incoming: UInt64?
    var route: Int
  }

  @Test(arguments: ["equalizing", "proportional"])
  func spansAreKeptAsTheRuleSays(_ mode: String) async throws {
    let seed: UInt64 = 0x5eed_0002
    let sink = try Sink()
    let routes = Self.routes.map { "  - {from: us-east-1, to: \($0.target), sampling: \($0.probability)}\n" }
    let relay = try await RoutingTests.relay(
      to: sink, "sampling: {type: probabilistic, param: 1, mode: \(mode)}\nroutes:\n" + routes.joined())
    let cases = Self.cases(seed: seed)
    let requests = stride(from: 0, to: cases.count, by: 100).map { start in
      OTLPRequest([Emission("shop", nil, cases[start..<min(start + 100, cases.count)].map(\.span))])
    }
    try await relay.post(requests)

    let kept = cases.compactMap { Self.outcome($0, isEqualizing: mode == "equalizing") }
    #expect(kept.count > cases.count / 5 && kept.count < cases.count)
    let arrived = Dictionary(grouping: try await sink.spans(atLeast: kept.count), by: \.id)
    for span in kept { #expect(arrived[span.id] == [span], "seed \(seed), \(mode)") }
    let done = { (scrape: Scrape) in scrape.outcomes == Double(cases.count) }
    let scrape = try await relay.scrape(until: done, "all spans have left")
    #expect(scrape.outcome("forwarded") == Double(kept.count))
    #expect(scrape.outcome("sampled_out") == Double(cases.count - kept.count))
    for (number, route) in Self.routes.enumerated() {
      let own = cases.filter { $0.route == number }
      let ownKept = own.filter { Self.outcome($0, isEqualizing: mode == "equalizing") != nil }.count
      let samples = scrape.samples("longspan_sampling_spans_total")
      let labels = "source_region=us-east-1,target_region=\(route.target)"
      #expect(samples["decision=kept," + labels] == Double(ownKept))
      #expect(samples["decision=dropped," + labels] == Double(own.count - ownKept))
    }
    scrape.expectBalanced()
  }

  private static func cases(seed: UInt64) -> [Case] {
    var random = SeededGenerator(seed: seed)
    return (0..<1400).map { number in
      let route = number % routes.count
      let threshold = routes[route].threshold
      // Beside random ones those at the border, where one more or less decides.
      var randomness = random.next() >> 8
      switch number / routes.count % 5 {
      case 0: randomness = min(threshold, 1 << 56 - 1)
      case 1 where threshold > 0: randomness = threshold - 1
      default: break
      }
      var span = OTLPSpan(
        OTLPSpan.traceID(random.next() | 1, randomness | random.next() << 56), UInt64(number + 1), .client,
        [.text("peer.region", routes[route].target)])
      var keys: [String] = []
      var incoming: UInt64?
      if random.one(in: 3) {
        // Another randomness than the trace ID's, which then counts for nothing.
        randomness = random.next() >> 8
        keys.append("rv:" + padded(randomness))
      }
      if random.one(in: 2) {
        // 1 to 14 digits.
        let shift = 4 * UInt64.random(in: 0...13, using: &random)
        let exact = random.one(in: 3) ? random.next() >> 8 : randomness - randomness / 3
        let own = (exact >> shift) << shift
        if own > 0 {
          keys.append("th:" + trimmed(own))
          incoming = own
        }
      }
      if keys.isEmpty {
        span.traceState = states[Int.random(in: 0..<states.count, using: &random)]
      } else {
        keys.insert("k:v", at: Int.random(in: 0...keys.count, using: &random))
        let ot = "ot=" + keys.joined(separator: ";")
        span.traceState = random.one(in: 2) ? ot : "a=1," + ot + ",b=2"
      }
      return Case(span: span, randomness: randomness, incoming: incoming, route: route)
    }
  }

  /// 14 hex digits.
  private static func padded(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 14 - digits.count) + digits
  }

  /// 14 digits without the zeros at the end.
  private static func trimmed(_ number: UInt64) -> String {
    var digits = padded(number)
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return digits
  }

  /// The span as it leaves, or nil where it does not.
  private static func outcome(_ given: Case, isEqualizing: Bool) -> OTLPSpan? {
    let route = routes[given.route]
    var incoming = given.incoming
    let isContradicted = (incoming ?? 0) > given.randomness
    if isContradicted { incoming = nil }
    var own = route.threshold
    if !isEqualizing, let incoming, own > 0 {
      own = threshold(route.value * Double((1 << 56) - incoming) / Double(UInt64(1) << 56))
    }
    let threshold = max(own, incoming ?? 0)
    guard given.randomness >= threshold else { return nil }
    var span = given.span
    if route.value < 1, threshold != incoming {
      span.traceState = setting("th:" + trimmed(threshold), in: span.traceState)
    } else if isContradicted {
      span.traceState = setting(nil, in: span.traceState)
    }
    return span
  }

  /// `T = round((1-p) * 2^56)` with four digits after the leading `f`s.
  private static func threshold(_ probability: Double) -> UInt64 {
    guard probability > 0 else { return 1 << 56 }
    let exact = UInt64(((1 - probability) * Double(UInt64(1) << 56)).rounded())
    let digits = min(14, 4 + padded(exact).prefix { $0 == "f" }.count)
    let unit = UInt64(1) << UInt64(4 * (14 - digits))
    return (exact + unit / 2) / unit * unit
  }

  /// A tracestate of these tests with another `th`: the changed member goes to the front, `th` stays in its place.
  private static func setting(_ th: String?, in state: String) -> String {
    var members = state.split(separator: ",").map(String.init)
    var keys: [String] = []
    if let place = members.firstIndex(where: { $0.hasPrefix("ot=") }) {
      keys = members.remove(at: place).dropFirst(3).split(separator: ";").map(String.init)
    }
    if let place = keys.firstIndex(where: { $0.hasPrefix("th:") }) {
      if let th { keys[place] = th } else { keys.remove(at: place) }
    } else if let th {
      keys.insert(th, at: 0)
    }
    if !keys.isEmpty { members.insert("ot=" + keys.joined(separator: ";"), at: 0) }
    return members.joined(separator: ",")
  }

  /// With a probability of 1, and without any configuration, what comes out is what went in, byte for byte.
  @Test(arguments: ["", "sampling: {type: probabilistic, param: 1, mode: proportional}"])
  func nothingIsTouchedUnasked(_ sampling: String) async throws {
    let seed: UInt64 = 0x5eed_0003
    let sink = try Sink()
    let relay = try await RoutingTests.relay(to: sink, sampling)
    var generator = OTLPGenerator(seed: seed)
    let bodies = (0..<8).map { _ in Data(generator.requestBytes(spans: 60)) }
    let answers = try await relay.answers(to: bodies)
    #expect(answers.map(\.status) == Array(repeating: 200, count: bodies.count))
    let sent = try bodies.flatMap { try RawSpans.read($0) }
    let good = try sent.filter { body in
      let span = try OTLPSpan(serializedBytes: body)
      let isValid = span.traceID.count == 16 && span.traceID.contains { $0 != 0 }
      return isValid && span.spanID.count == 8 && span.spanID.contains { $0 != 0 }
    }
    #expect(good.count < sent.count, "some spans have bad IDs")
    _ = try await sink.spans(atLeast: good.count)
    let arrived = try sink.requests().flatMap { try RawSpans.read($0) }
    let contradicted = try good.filter { try Self.contradictsItself(OTLPSpan(serializedBytes: $0)) }
    let untouched = Set(good).subtracting(contradicted)
    #expect(untouched.isSubset(of: arrived), "seed \(seed)")
    #expect(arrived.count == good.count)
    #expect(untouched.count > good.count / 2)
    let scrape = try await relay.scrape(until: { $0.outcome("forwarded") == Double(good.count) }, "all are forwarded")
    #expect(scrape.outcome("rejected") == Double(sent.count - good.count))
    scrape.expectBalanced()
  }

  /// Whether the randomness is below the threshold that the span carries, which is then erased.
  private static func contradictsItself(_ span: OTLPSpan) -> Bool {
    let low = span.traceID.suffix(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch span.traceState {
    case "ot=th:8": return low < 1 << 55
    case "ot=th:fd70a;rv:0123456789abcd": return true
    default: return false
    }
  }
}
