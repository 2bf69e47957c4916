import LinearRegex
import SwiftProtobuf
import TestKit
import TraceWire

@testable import Policy

extension ProcessorRules {
  /// Rules that a closure fills in.
  static func making(_ change: (inout ProcessorRules) throws -> Void) rethrows -> ProcessorRules {
    var rules = ProcessorRules()
    try change(&rules)
    return rules
  }
}

extension RedactionRules {
  /// Rules under which all keys may pass.
  static func making(_ change: (inout RedactionRules) throws -> Void) rethrows -> RedactionRules {
    var rules = RedactionRules()
    rules.allowsAllKeys = true
    try change(&rules)
    return rules
  }
}

/// Sends requests through the walk, an aggregator's processors and the writer.
struct ProcessorRun {
  var processor: RequestProcessor
  private(set) var output: [UInt8] = []

  init(_ rules: ProcessorRules) { processor = RequestProcessor(rules, rewritesResources: true, seed: 7) }

  mutating func run(_ bytes: [UInt8]) throws -> OTLPRequest {
    var facts = RequestFacts()
    var bytes = bytes
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    if facts.isInPieces {
      bytes = try RequestJoiner.joined(bytes.span.bytes)
      try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    }
    var plan = RewritePlan()
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    let unreadable = processor.process(facts, in: bytes.span.bytes, plan: &plan)
    guard unreadable == 0 else { throw WireFault(.badValue, at: 0) }
    output = []
    _ = BatchWriter.append(
      0..<facts.spans.count, limit: .max, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
    return try OTLPRequest(serializedBytes: output)
  }

  mutating func run(_ request: OTLPRequest) throws -> OTLPRequest { try run(try request.serializedBytes()) }

  /// One span with these attributes, through rules: what is left of it.
  static func span(_ rules: ProcessorRules, _ attributes: [OTLPAttribute], name: String = "n") throws -> OTLPSpan {
    var span = OTLPSpan(trace(0.1), attributes: attributes)
    span.name = name
    var run = ProcessorRun(rules)
    let left = try run.run(OTLPRequest([span])).spans[0]
    // What no rule names stays.
    var rest = left
    rest.attributes = span.attributes
    rest.name = span.name
    guard rest == span else { throw WireFault(.badValue, at: 1) }
    return left
  }
}

extension [OTLPAttribute] {
  /// `key=value` of each; lists and arrays as their text form.
  var shown: [String] {
    map { attribute in
      switch attribute.value.value {
      case .stringValue(let text): "\(attribute.key)=\(text)"
      case .intValue(let number): "\(attribute.key)=int \(number)"
      case .doubleValue(let number): "\(attribute.key)=double \(number)"
      case .boolValue(let flag): "\(attribute.key)=\(flag)"
      default: "\(attribute.key)=\(attribute.value.textFormatString().filter { $0 != "\n" })"
      }
    }
  }
}

extension OTLPAttribute {
  init(_ key: String, int: Int64) { self.init(key, .with { $0.intValue = int }) }
}
