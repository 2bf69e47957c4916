internal import Formats
internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Other systems' requests become OTLP that everybody reads, of no more bytes than the request allows.
enum FormatsTarget {
  typealias Translation = (RawSpan) throws(WireFault) -> [UInt8]

  static func run(_ bytes: [UInt8], _ translate: Translation) throws(FuzzFinding) {
    _ = try spanCount(bytes, translate)
  }

  /// JSON says how many spans there are to anyone who reads it: one for each element, and in v1 two at most.
  static func runJSON(_ bytes: [UInt8], spansMax: Int, _ translate: Translation) throws(FuzzFinding) {
    guard let count = try spanCount(bytes, translate) else { return }
    guard let elements = try? JSONDecoder().decode([Element?].self, from: Data(bytes)) else { return }
    try check(
      count >= elements.count && count <= spansMax * elements.count, "\(count) spans of \(elements.count) elements")
  }

  /// Anything that stands in a list.
  private struct Element: Decodable {
    init(from decoder: any Decoder) {}
  }

  /// How many spans were read; `nil` where none could be.
  private static func spanCount(_ bytes: [UInt8], _ translate: Translation) throws(FuzzFinding) -> Int? {
    let translated: [UInt8]
    do throws(WireFault) {
      translated = try translate(bytes.span.bytes)
    } catch {
      try check((0...bytes.count).contains(error.offset), "a fault at byte \(error.offset) of \(bytes.count)")
      return nil
    }
    // Three times for what is written once, four and a constant for resources that many spans share.
    try check(translated.count <= 7 * bytes.count + (1 << 20), "\(translated.count) bytes out of \(bytes.count)")
    let request = try succeeds("swift-protobuf on what was translated") {
      try OTLPGenerator.Request(serializedBytes: translated)
    }
    var facts = RequestFacts()
    if let fault = WalkedRequest.fault(translated, &facts, keys: OracleSpan.keys) {
      throw FuzzFinding("the walk on what was translated: \(fault)")
    }
    let spans = request.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }
    for span in spans {
      try check([0, 16].contains(span.traceID.count) && [0, 8].contains(span.spanID.count), "an ID of another size")
      try check(span.endTimeUnixNano >= span.startTimeUnixNano, "a span that ends before it begins")
    }
    return spans.count
  }
}
