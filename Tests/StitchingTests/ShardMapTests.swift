import Stitching
import TestKit
import Testing
import TraceWire

@Suite struct ShardMapTests {
  @Test(arguments: [1, 2, 3, 7], [1, 2] as [UInt64]) func partitionsEverySpanOnce(shards: Int, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let map = ShardMap(shardCount: shards, hash: KeyedHash(using: &random))
    var partitioner = RequestPartitioner(map: map)
    for size in [0, 1, 5, 300, 40] {
      let spans = (0..<size).map { _ in
        TestSpan(trace: UInt64.random(in: 1...60, using: &random), id: random.next() | 1)
      }
      let lists = partitioner.partition(request(spans).facts)
      #expect(lists.count == shards)
      #expect(lists.flatMap { $0 }.sorted() == Array(0..<UInt32(size)), "seed \(seed)")
      for (shard, list) in lists.enumerated() {
        let ids = list.map { spans[Int($0)].traceID }
        #expect(ids.allSatisfy { map.shard(of: $0) == shard })
        let changes = zip(ids, ids.dropFirst()).count { $0 != $1 }
        #expect(changes + 1 == max(1, Set(ids).count), "a trace's spans are next to each other, seed \(seed)")
        #expect(zip(list, list.dropFirst()).allSatisfy { $0 < $1 || spans[Int($0)].trace != spans[Int($1)].trace })
      }
    }
  }

  @Test func leavesInvalidSpansOut() {
    var facts = request([TestSpan(id: 1), TestSpan(id: 2), TestSpan(id: 3)]).facts
    facts.spans[0].traits.insert(.invalidTraceID)
    facts.spans[2].traits.insert(.invalidSpanID)
    var partitioner = RequestPartitioner(map: ShardMap(shardCount: 1, hash: KeyedHash(1, 2)))
    #expect(partitioner.partition(facts) == [[1]])
  }

  @Test func spreadsTraces() {
    let map = ShardMap(shardCount: 4, hash: KeyedHash(1, 2))
    var counts = [0, 0, 0, 0]
    for number in 1...4000 as ClosedRange<UInt64> { counts[map.shard(of: TraceID(high: number, low: number))] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) })
  }
}
