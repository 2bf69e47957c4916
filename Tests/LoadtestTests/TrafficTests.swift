import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Load

/// What is sent, read by other people's software.
@Suite struct TrafficTests {
  typealias Request = OTLPGenerator.Request
  typealias Span = OTLPGenerator.Span

  /// A span with the region of its resource.
  struct Placed {
    var span: Span
    var region: String
  }

  static func decode(_ traffic: Traffic, _ number: Int) throws -> [Placed] {
    let bytes = traffic.request(number)
    let request = try Request(serializedBytes: bytes)
    let census = try RequestCensus(bytes.span.bytes)
    #expect(census.spans == traffic.spanCount(number))
    return request.resourceSpans.flatMap { resource in
      let region = resource.resource.attributes.first(["cloud.region"])
      return resource.scopeSpans.flatMap(\.spans).map { Placed(span: $0, region: region) }
    }
  }

  @Test(arguments: TrafficLayout.allCases, [100, 1000]) func aRequestLooksReal(
    _ layout: TrafficLayout, spans: Int
  ) throws {
    let traffic = Traffic(layout, spansPerRequest: spans)
    var (count, bytes, events) = (0, 0, 0)
    for number in 0..<6 {
      let placed = try Self.decode(traffic, number)
      count += placed.count
      bytes += traffic.request(number).count
      for (span, _) in placed.map({ ($0.span, $0.region) }) {
        #expect(span.attributes.count == 10)
        #expect(span.traceID.count == 16 && span.spanID.count == 8)
        #expect(span.startTimeUnixNano < span.endTimeUnixNano)
        events += span.events.count
        for event in span.events {
          #expect((span.startTimeUnixNano...span.endTimeUnixNano).contains(event.timeUnixNano))
          #expect(event.attributes.count == 2)
        }
      }
    }
    #expect(count == 6 * spans)
    #expect((470...510).contains(bytes / count), "\(bytes / count) bytes a span")
    #expect(abs(events - count / 10) <= count / 100)
  }

  @Test func resourcesAreFive() throws {
    for layout in [TrafficLayout.relay, .aggregator] {
      let request = try Request(serializedBytes: Traffic(layout).request(0))
      #expect(request.resourceSpans.count == 5)
    }
  }

  @Test(arguments: TrafficLayout.allCases) func identifiersAreUnique(_ layout: TrafficLayout) throws {
    let traffic = Traffic(layout, seed: 7)
    var traces: [[UInt8]: Int] = [:]
    var spans: Set<[UInt8]> = []
    let groups = 40
    for number in 0..<groups * traffic.partCount {
      for placed in try Self.decode(traffic, number) {
        let (isNew, _) = spans.insert(Array(placed.span.spanID))
        #expect(isNew)
        let group = traces[Array(placed.span.traceID), default: number / traffic.partCount]
        #expect(group == number / traffic.partCount, "a trace came again")
        traces[Array(placed.span.traceID)] = group
      }
    }
    #expect(spans.count == groups * traffic.partCount * 100)
    #expect(traces.count * 5 == spans.count)
  }

  @Test func theSeedDecides() {
    let (first, again, other) = (Traffic(.relay, seed: 3), Traffic(.relay, seed: 3), Traffic(.relay, seed: 4))
    #expect(first.request(17) == again.request(17))
    #expect(first.request(17) != first.request(18))
    #expect(first.request(17) != other.request(17))
  }

  /// Every trace is one tree over two or three regions, and both sides of a crossing name each other.
  @Test(arguments: [TrafficLayout.aggregator, .fragments]) func wholeTraces(_ layout: TrafficLayout) throws {
    let traffic = Traffic(layout, spansPerRequest: 90, seed: 5)
    var traces: [[UInt8]: [Placed]] = [:]
    for number in 0..<traffic.partCount {
      let placed = try Self.decode(traffic, number)
      if layout == .fragments { #expect(Set(placed.map(\.region)).count == 1) }
      for one in placed { traces[Array(one.span.traceID), default: []].append(one) }
    }
    var regionCounts: Set<Int> = []
    for trace in traces.values {
      #expect(trace.count == 5)
      #expect(trace.count { $0.span.parentSpanID.isEmpty } == 1)
      regionCounts.insert(Set(trace.map(\.region)).count)
      for child in trace where !child.span.parentSpanID.isEmpty {
        let parent = try #require(trace.first { $0.span.spanID == child.span.parentSpanID })
        #expect(parent.span.startTimeUnixNano < child.span.startTimeUnixNano)
        #expect(parent.span.endTimeUnixNano > child.span.endTimeUnixNano)
        guard parent.region != child.region else { continue }
        #expect(parent.span.kind == .client && child.span.kind == .server)
        #expect(parent.span.attributes.first(["peer.region"]) == child.region)
        #expect(child.span.attributes.first(["client.region"]) == parent.region)
      }
    }
    #expect(regionCounts == [2, 3])
  }

  /// A relay's spans are of its region; what came from elsewhere has a parent that is not in the request.
  @Test func oneRegion() throws {
    let placed = try Self.decode(Traffic(.relay, seed: 11), 0)
    #expect(Set(placed.map(\.region)) == ["us-east-1"])
    let known = Set(placed.map { $0.span.spanID })
    var targets: Set<String> = []
    for span in placed.map(\.span) {
      let (callee, caller) = (span.attributes.first(["peer.region"]), span.attributes.first(["client.region"]))
      #expect((span.kind == .client) == !callee.isEmpty)
      #expect(caller.isEmpty == (span.parentSpanID.isEmpty || known.contains(span.parentSpanID)))
      #expect((span.flags & 0x200 != 0) == !caller.isEmpty)
      targets.formUnion([callee, caller].filter { !$0.isEmpty })
    }
    #expect(targets == ["us-west-2", "eu-west-1", "ap-south-1", "sa-east-1"])
  }
}
