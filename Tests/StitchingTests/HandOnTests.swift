import Stitching
import TestKit
import Testing
import TraceWire

/// What is handed on: whole traces, every byte of their spans as it came.
@Suite struct HandOnTests {
  struct Key: Hashable {
    var trace: TraceID
    var span: SpanID
  }

  struct Content: Hashable {
    var span: [UInt8]
    var resource: [UInt8]
  }

  func walked(_ bytes: [UInt8]) throws -> RequestFacts {
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    return facts
  }

  /// A generated request whose spans belong to few traces.
  func requestBytes(_ generator: inout OTLPGenerator) throws -> [UInt8] {
    var bytes = generator.requestBytes(spans: 100)
    for span in try walked(bytes).spans where span.body.count > 18 {
      let start = Int(span.body.lower)
      guard bytes[start] == 0x0a, bytes[start + 1] == 16 else { continue }
      for offset in 2..<18 { bytes[start + offset] = 1 }
      bytes[start + 17] = UInt8.random(in: 1...9, using: &generator.random)
    }
    return bytes
  }

  func contents(_ bytes: [UInt8], _ facts: RequestFacts) -> [(key: Key, content: Content)] {
    facts.spans.filter { $0.traits.isDisjoint(with: .invalid) }.map { span in
      let resource = facts.resources[Int(span.resource)].resource
      return (
        Key(trace: span.traceID, span: span.spanID),
        Content(span: Array(bytes[span.body.indices]), resource: Array(bytes[resource.indices]))
      )
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>) func wholeAndVerbatim(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let names = FlowNames(limits: FlowLimits())
    let shards = [shard(names: names), shard(names: names)]
    var partitioner = RequestPartitioner(map: ShardMap(shardCount: 2, hash: KeyedHash(seed, 1)))
    var wanted: [Key: Content] = [:]
    var (given, accepted, duplicates) = (0, 0, 0)
    for _ in 0..<6 {
      let bytes = try requestBytes(&generator)
      let request = ReceivedRequest(bytes: bytes, facts: try walked(bytes))
      for (key, content) in contents(bytes, request.facts) {
        given += 1
        if wanted[key] == nil { wanted[key] = content }
      }
      for (shard, spans) in zip(shards, partitioner.partition(request.facts)) {
        let report = shard.ingest(request, spans: spans, now: 0, lease: seed % 2 == 0 ? TestLease() : nil)
        accepted += report.accepted
        duplicates += report.duplicates
      }
    }
    #expect(accepted == wanted.count && accepted + duplicates == given, "seed \(seed)")
    var traces: Set<TraceID> = []
    for part in shards.flatMap({ $0.closeAll(now: 1).parts }) {
      let found = contents(part.payload, try walked(part.payload))
      #expect(found.count == part.spanCount, "seed \(seed)")
      for trace in part.traces {
        #expect(traces.insert(trace.traceID).inserted, "a trace comes whole, seed \(seed)")
        #expect(found.count { $0.0.trace == trace.traceID } == trace.spanCount, "seed \(seed)")
      }
      for (key, content) in found { #expect(wanted.removeValue(forKey: key) == content, "seed \(seed)") }
    }
    #expect(wanted.isEmpty && traces.count == 9, "seed \(seed)")
  }

  @Test func aLargeResourceDoesNotMultiply() throws {
    let long = String(repeating: "x", count: 100_000)
    var body = ProtobufWriter()
    body.message(1) { resource in
      resource.message(1) { attribute in
        attribute.string(1, "k")
        attribute.message(2) { $0.string(1, long) }
      }
    }
    body.message(2) { scope in
      for number in 1...400 as ClosedRange<UInt64> { scope.bytes(2, TestSpan(trace: number).encoded) }
    }
    var writer = ProtobufWriter()
    writer.bytes(1, body.bytes)
    let request = ReceivedRequest(bytes: writer.bytes, facts: try walked(writer.bytes))
    let shard = shard()
    let report = shard.ingest(request, spans: Array(0..<400), now: 0)
    #expect(report.accepted + report.overBudget == 400)
    #expect((16...40).contains(report.accepted))
    #expect(shard.liveTraces == report.accepted)
    #expect(shard.heldBytes < 20 * request.bytes.count + 2 << 20)
    #expect(shard.closeAll(now: 1).traces.count == report.accepted)
  }
}
