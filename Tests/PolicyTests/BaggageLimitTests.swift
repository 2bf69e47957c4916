import Foundation
import Policy
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

/// The contract's "Baggage limits, exactly", case by case, through the real walk and writer.
@Suite struct BaggageLimitTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var limits: BaggageLimits
    var attributes: [OTLPAttribute]
    /// What is left.
    var left: [OTLPAttribute]
    /// Dropped for count, length, denied.
    var dropped: (Int, Int, Int) = (0, 0, 0)
    /// By how much `dropped_attributes_count` rises.
    var rises: UInt32 = 0
  }

  static let header = "http.request.header.baggage"

  static func entries(_ numbers: ClosedRange<Int>) -> [OTLPAttribute] {
    numbers.map { OTLPAttribute("baggage.k\($0)", "v") }
  }

  static let attributes = [
    Case(testDescription: "ten are kept", limits: BaggageLimits(), attributes: entries(1...10), left: entries(1...10)),
    Case(
      testDescription: "the eleventh is dropped", limits: BaggageLimits(), attributes: entries(1...11),
      left: entries(1...10), dropped: (1, 0, 0), rises: 1),
    Case(
      testDescription: "other attributes do not count", limits: BaggageLimits(maxCount: 1),
      attributes: [OTLPAttribute("a", "1"), OTLPAttribute("baggage.a", "1"), OTLPAttribute("b", "2")],
      left: [OTLPAttribute("a", "1"), OTLPAttribute("baggage.a", "1"), OTLPAttribute("b", "2")]),
    Case(
      testDescription: "listed keys count like prefixed ones", limits: BaggageLimits(maxCount: 1, keys: ["tenant"]),
      attributes: [OTLPAttribute("tenant", "1"), OTLPAttribute("baggage.a", "1")], left: [OTLPAttribute("tenant", "1")],
      dropped: (1, 0, 0), rises: 1),
    Case(
      testDescription: "1024 bytes without the prefix are kept", limits: BaggageLimits(),
      attributes: [OTLPAttribute("baggage.name", String(repeating: "v", count: 1020))],
      left: [OTLPAttribute("baggage.name", String(repeating: "v", count: 1020))]),
    Case(
      testDescription: "1025 are not", limits: BaggageLimits(),
      attributes: [OTLPAttribute("baggage.name", String(repeating: "v", count: 1021))], left: [],
      dropped: (0, 1, 0), rises: 1),
    Case(
      testDescription: "bytes count, not characters", limits: BaggageLimits(maxLength: 3),
      attributes: [OTLPAttribute("baggage.n", "é"), OTLPAttribute("baggage.nn", "é")],
      left: [OTLPAttribute("baggage.n", "é")], dropped: (0, 1, 0), rises: 1),
    Case(
      testDescription: "an entry that is too long takes no place", limits: BaggageLimits(maxCount: 1, maxLength: 2),
      attributes: [OTLPAttribute("baggage.a", "22"), OTLPAttribute("baggage.b", "1")],
      left: [OTLPAttribute("baggage.b", "1")], dropped: (0, 1, 0), rises: 1),
    Case(
      testDescription: "allow and deny come first",
      limits: BaggageLimits(maxCount: 1, maxLength: 2, allow: ["a", "b", "c"], deny: ["b"]),
      attributes: [
        OTLPAttribute("baggage.x", "22"), OTLPAttribute("baggage.b", "1"), OTLPAttribute("baggage.a", "1"),
        OTLPAttribute("baggage.c", "1"),
      ],
      left: [OTLPAttribute("baggage.a", "1")], dropped: (1, 0, 2), rises: 3),
    Case(
      testDescription: "values that are no strings", limits: BaggageLimits(maxLength: 4),
      attributes: [
        OTLPAttribute("baggage.i", .with { $0.intValue = 123 }),
        OTLPAttribute("baggage.j", .with { $0.intValue = -123 }),
        OTLPAttribute("baggage.", .with { $0.boolValue = true }),
        OTLPAttribute("baggage.b", .with { $0.boolValue = true }),
        OTLPAttribute("baggage.d", .with { $0.doubleValue = 0.5 }),
        OTLPAttribute("baggage.e", .with { $0.doubleValue = 0.25 }),
        OTLPAttribute("baggage.y", .with { $0.bytesValue = Data([1, 2, 3]) }),
        OTLPAttribute("baggage.z", .with { $0.bytesValue = Data([1, 2, 3, 4]) }),
        OTLPAttribute("baggage.none", OTLPValue()),
      ],
      left: [
        OTLPAttribute("baggage.i", .with { $0.intValue = 123 }),
        OTLPAttribute("baggage.", .with { $0.boolValue = true }),
        OTLPAttribute("baggage.d", .with { $0.doubleValue = 0.5 }),
        OTLPAttribute("baggage.y", .with { $0.bytesValue = Data([1, 2, 3]) }),
        OTLPAttribute("baggage.none", OTLPValue()),
      ],
      dropped: (0, 4, 0), rises: 4),
  ]

  static let headers = [
    Case(
      testDescription: "members are entries, kept byte for byte", limits: BaggageLimits(maxCount: 2),
      attributes: [OTLPAttribute(header, "a=1 ; p = x,\tb = %20 ,c=3")],
      left: [OTLPAttribute(header, "a=1 ; p = x,b = %20")], dropped: (1, 0, 0)),
    Case(
      testDescription: "nothing left, attribute dropped", limits: BaggageLimits(deny: ["a", "b"]),
      attributes: [OTLPAttribute("k", "v"), OTLPAttribute(header, "a=1,b=2")], left: [OTLPAttribute("k", "v")],
      dropped: (0, 0, 2), rises: 1),
    Case(
      testDescription: "member length without the equals sign", limits: BaggageLimits(maxLength: 4),
      attributes: [OTLPAttribute(header, "ab=12,ab=123,abcd,abcde,ab= 12 ")],
      left: [OTLPAttribute(header, "ab=12,abcd,ab= 12")], dropped: (0, 2, 0)),
    Case(
      testDescription: "properties count as value", limits: BaggageLimits(maxLength: 4),
      attributes: [OTLPAttribute(header, "a=1;p,a=1;pp")], left: [OTLPAttribute(header, "a=1;p")], dropped: (0, 1, 0)),
    Case(
      testDescription: "attributes and members share the count in the order of the bytes",
      limits: BaggageLimits(maxCount: 3),
      attributes: [
        OTLPAttribute("baggage.a", "1"), OTLPAttribute(header, "b=2,c=3,d=4"), OTLPAttribute("baggage.e", "5"),
      ],
      left: [OTLPAttribute("baggage.a", "1"), OTLPAttribute(header, "b=2,c=3")], dropped: (2, 0, 0), rises: 1),
    Case(
      testDescription: "a header is a header even if its key has the prefix",
      limits: BaggageLimits(maxCount: 1, headerAttributes: ["baggage.raw"]),
      attributes: [OTLPAttribute("baggage.raw", "a=1,b=2")], left: [OTLPAttribute("baggage.raw", "a=1")],
      dropped: (1, 0, 0)),
    Case(
      testDescription: "an empty header is left alone", limits: BaggageLimits(maxCount: 0),
      attributes: [OTLPAttribute(header, ""), OTLPAttribute(header, " , ")],
      left: [OTLPAttribute(header, ""), OTLPAttribute(header, " , ")]),
    Case(
      testDescription: "a number is no header", limits: BaggageLimits(maxCount: 0),
      attributes: [OTLPAttribute(header, .with { $0.intValue = 7 })],
      left: [OTLPAttribute(header, .with { $0.intValue = 7 })]),
  ]

  static let seven = OTLPValue.with { $0.intValue = 7 }

  static let arrays = [
    Case(
      testDescription: "each string of an array is a header", limits: BaggageLimits(maxCount: 3),
      attributes: [
        OTLPAttribute("k", "v"),
        OTLPAttribute(header, .array([.text("a=1,b=2"), seven, .text("c=3,d=4"), .text("e=5")])),
        OTLPAttribute("baggage.x", "1"), OTLPAttribute("l", "w"),
      ],
      left: [
        OTLPAttribute("k", "v"), OTLPAttribute(header, .array([.text("a=1,b=2"), seven, .text("c=3")])),
        OTLPAttribute("l", "w"),
      ],
      dropped: (3, 0, 0), rises: 1),
    Case(
      testDescription: "an array that loses nothing", limits: BaggageLimits(maxCount: 3),
      attributes: [OTLPAttribute(header, .array([.text("a=1, b=2"), .text("c=3,")]))],
      left: [OTLPAttribute(header, .array([.text("a=1, b=2"), .text("c=3,")]))]),
    Case(
      testDescription: "an array with nothing left is dropped", limits: BaggageLimits(maxCount: 0),
      attributes: [OTLPAttribute("k", "v"), OTLPAttribute(header, .array([.text("a=1"), .text("b=2")]))],
      left: [OTLPAttribute("k", "v")], dropped: (2, 0, 0), rises: 1),
    Case(
      testDescription: "two arrays and a string", limits: BaggageLimits(deny: ["x"]),
      attributes: [
        OTLPAttribute(header, .array([.text("a=1,x=2")])), OTLPAttribute(header, "x=1,b=2"),
        OTLPAttribute(header, .array([.text("x=1,c=2"), .array([])])),
      ],
      left: [
        OTLPAttribute(header, .array([.text("a=1")])), OTLPAttribute(header, "b=2"),
        OTLPAttribute(header, .array([.text("c=2"), .array([])])),
      ],
      dropped: (0, 0, 3)),
  ]

  @Test(arguments: attributes + headers + arrays)
  func limits(_ test: Case) throws {
    // With sampling, too: the same limits, and a tracestate in the same edit.
    for probability in [1, 0.5] {
      var engine = PolicyEngine(
        RelayPolicy(
          PolicyConfiguration(region: "us-east-1", defaultProbability: probability, baggage: test.limits)),
        memory: TraceMemory(seed: 1), seed: 2)
      var span = OTLPSpan(trace(0.9), attributes: test.attributes)
      span.droppedAttributesCount = 3
      let (output, tally) = try engine.relay(OTLPRequest([span, span]))
      span.attributes = test.left
      span.droppedAttributesCount += test.rises
      if probability < 1 { span.traceState = "ot=th:8" }
      #expect(output.spans == [span, span])
      #expect(tally.baggage.count == 2 * test.dropped.0)
      #expect(tally.baggage.length == 2 * test.dropped.1)
      #expect(tally.baggage.denied == 2 * test.dropped.2)
    }
  }

  /// Few and short entries are passed by the walk already. A denied name that nobody has makes the limiter look at all
  /// of them: it has to come to the same.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func whatIsHarmlessIsWhatPasses(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let limits = BaggageLimits(
      maxCount: Int.random(in: 0...4, using: &random), maxLength: Int.random(in: 0...40, using: &random),
      keys: ["tenant"])
    var careful = limits
    careful.deny = ["nobody's"]
    var engines = [limits, careful].map { limits in
      PolicyEngine(
        RelayPolicy(PolicyConfiguration(region: "us-east-1", baggage: limits)), memory: TraceMemory(seed: 1), seed: 2)
    }
    for _ in 0..<50 {
      let attributes = (0..<Int.random(in: 0...7, using: &random)).map { _ in
        let text = String(repeating: "v", count: Int.random(in: 0...36, using: &random))
        return [
          OTLPAttribute("baggage.name", text), OTLPAttribute("tenant", text), OTLPAttribute("other", text),
          OTLPAttribute("baggage.", text), OTLPAttribute(Self.header, "a=\(text)"),
          OTLPAttribute("baggage.list", .array([.text(text)])),
        ].randomElement(using: &random) ?? OTLPAttribute("baggage.name", text)
      }
      let request = OTLPRequest([OTLPSpan(trace(0.1), attributes: attributes)])
      let results = try engines.indices.map { try engines[$0].relay(request) }
      #expect(results[0].output == results[1].output, "seed \(seed)")
      #expect(results[0].tally.baggage == results[1].tally.baggage, "seed \(seed)")
    }
  }

  @Test func withoutLimitsNothingIsTouched() throws {
    var engine = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "us-east-1")), memory: TraceMemory(seed: 1), seed: 2)
    let request = OTLPRequest([OTLPSpan(trace(0.1), attributes: Self.entries(1...50))])
    #expect(try engine.relay(request).output == request)
  }
}
