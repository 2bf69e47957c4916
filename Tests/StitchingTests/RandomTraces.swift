import TestKit
import TraceWire

/// Random traces: trees of calls over regions, with missing parents, cycles, spans that name themselves, odd times.
struct RandomTraces {
  var random: SeededGenerator
  let regions: [String?] = ["us", "eu", "ap", nil]
  let services: [String?] = ["front", "order", "pay", nil]

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// The spans of one trace. All have one weight, so that it does not matter which link comes first.
  mutating func trace(_ number: UInt64, spans count: Int) -> [TestSpan] {
    let threshold =
      [nil, Threshold.always, Threshold(probability: 0.5), Threshold(probability: 0.25)]
      .randomElement(using: &random) ?? nil
    var spans: [TestSpan] = []
    for position in 0..<count {
      var span = TestSpan(trace: number, id: random.next() | 1)
      span.region = regions.randomElement(using: &random) ?? nil
      span.service = services.randomElement(using: &random) ?? nil
      span.threshold = threshold
      span.isError = random.one(in: 6)
      span.size = Int.random(in: 10...60, using: &random)
      span.start = UInt64.random(in: 1...3, using: &random) * second + random.next() % second
      span.end = span.start + random.next() % (2 * second)
      if position > 0 { span = adopted(span, by: spans) }
      spans.append(span)
    }
    for position in spans.indices where random.one(in: 40) { spoil(&spans, position) }
    return spans
  }

  private mutating func adopted(_ span: TestSpan, by spans: [TestSpan]) -> TestSpan {
    var span = span
    guard let parent = spans.randomElement(using: &random) else { return span }
    span.parent = parent.id
    switch parent.kind {
    case .client: span.kind = random.one(in: 4) ? .internal : .server
    case .producer: span.kind = .consumer
    default: span.kind = [.client, .producer, .internal, .client].randomElement(using: &random) ?? .client
    }
    return span
  }

  private mutating func spoil(_ spans: inout [TestSpan], _ position: Int) {
    switch UInt64.random(in: 0..<6, using: &random) {
    case 0: spans[position].parent = spans[position].id
    case 1: spans[position].parent = random.next() | 1
    case 2: spans[position].parent = spans.randomElement(using: &random)?.id ?? 0
    case 3: (spans[position].start, spans[position].end) = (spans[position].end, spans[position].start)
    case 4: spans[position].end = .max
    default: spans[position].start = 0
    }
  }
}
