import TestKit
import Testing
import TraceWire

@testable import Stitching

/// Two tenants' spans with the same IDs have nothing to do with each other.
@Suite struct TenantTests {
  private let masks = [TraceID(), TraceID(high: 0x1234, low: 0x5678), TraceID(high: 1 << 63, low: 7)]

  private func ingest(_ spans: [TestSpan], of tenant: UInt16, at now: UInt64 = 0, _ shard: StitchingShard)
    -> IngestReport
  {
    let plain = request(spans)
    var facts = plain.facts
    facts.setApart(by: masks[Int(tenant)])
    let apart = ReceivedRequest(bytes: plain.bytes, facts: facts, tenant: tenant)
    return shard.ingest(apart, spans: Array(0..<UInt32(spans.count)), now: now, lease: TestLease())
  }

  private func identities(_ payload: [UInt8]) throws -> [String] {
    var facts = RequestFacts()
    try facts.walk(payload.span.bytes, keys: AttributeKeys())
    return facts.spans.map { "\($0.traceID.high) \($0.traceID.low) \($0.spanID.rawValue)" }
  }

  @Test func aTracesSpansAreItsTenants() throws {
    let shard = shard()
    let client = TestSpan(id: 1, region: "us", service: "a", kind: .client)
    let server = TestSpan(id: 2, parent: 1, region: "eu", service: "b", kind: .server)
    for tenant in masks.indices {
      #expect(ingest([client], of: UInt16(tenant), shard).accepted == 1)
    }
    #expect(shard.liveTraces == 3)
    // The other end comes for one of them only.
    #expect(ingest([server], of: 2, shard).accepted == 1)
    #expect(ingest([client], of: 1, shard).duplicates == 1)
    func flows() -> Double {
      series(shard.snapshot())["region_flow_requests_total{source_region=us,target_region=eu}"] ?? 0
    }
    #expect(flows() == 1)
    let parts = shard.settled(at: 10 * second)
    #expect(parts.map(\.tenant).sorted() == [0, 1, 2], "a part is of one tenant")
    for (part, trace) in parts.flatMap({ part in part.traces.map { (part, $0) } }) {
      let wanted = trace.tenant == 2 ? [client, server] : [client]
      #expect(trace.spanCount == wanted.count && trace.isCrossRegion == (trace.tenant == 2))
      // The bytes have the IDs as they were sent.
      #expect(
        try identities(part.payload)
          == wanted.map { "\($0.traceID.high) \($0.traceID.low) \($0.id)" }, "tenant \(trace.tenant)")
    }
    // Late ones meet what is remembered of their own tenant's trace.
    #expect(ingest([server], of: 2, at: 11 * second, shard).duplicates == 1)
    let late = ingest([server], of: 1, at: 11 * second, shard)
    #expect(late.late == 1 && late.accepted == 0)
    #expect(flows() == 2)
    #expect(try identities(late.latePayload).count == 1)
  }

  /// Random traffic of several tenants over few trace IDs: each tenant's traces come out as if it were alone.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func asIfEachWereAlone(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let together = shard()
    let alone = masks.map { _ in shard() }
    var now: UInt64 = 0
    var (mixed, single): ([[String]: Int], [[String]: Int]) = ([:], [:])
    func note(_ tenant: UInt16, _ payload: [UInt8], in table: inout [[String]: Int]) throws {
      let traces = Dictionary(grouping: try identities(payload)) { $0.split(separator: " ")[..<2] }
      for spans in traces.values { table[["\(tenant)"] + spans.sorted(), default: 0] += 1 }
    }
    for _ in 0..<300 {
      let tenant = Int.random(in: masks.indices, using: &random)
      let spans = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        TestSpan(
          trace: .random(in: 1...6, using: &random), id: .random(in: 1...200, using: &random),
          parent: .random(in: 0...200, using: &random), region: ["us", "eu"].randomElement(using: &random),
          kind: [.client, .server, .internal].randomElement(using: &random) ?? .internal)
      }
      let report = ingest(spans, of: UInt16(tenant), at: now, together)
      let own = alone[tenant].ingest(request(spans), spans: Array(0..<UInt32(spans.count)), now: now)
      #expect(report.accepted == own.accepted && report.late == own.late, "seed \(seed)")
      #expect(report.duplicates == own.duplicates, "seed \(seed)")
      try note(UInt16(tenant), report.latePayload, in: &mixed)
      try note(UInt16(tenant), own.latePayload, in: &single)
      now += .random(in: 0...2 * second, using: &random)
      for part in together.settled(at: now) { try note(part.tenant, part.payload, in: &mixed) }
      for (number, shard) in alone.enumerated() {
        for part in shard.settled(at: now) { try note(UInt16(number), part.payload, in: &single) }
      }
    }
    #expect(mixed == single, "seed \(seed)")
    let flows = series(together.snapshot())["region_flow_requests_total{source_region=us,target_region=eu}"] ?? 0
    let sum = alone.reduce(0) { sum, shard in
      sum + (series(shard.snapshot())["region_flow_requests_total{source_region=us,target_region=eu}"] ?? 0)
    }
    #expect(flows == sum, "seed \(seed)")
  }
}
