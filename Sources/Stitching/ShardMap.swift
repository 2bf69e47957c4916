public import TraceWire

/// Which shard a trace belongs to: a keyed hash of its ID, so that peers cannot crowd one shard.
public struct ShardMap: Sendable {
  public let shardCount: Int
  let hash: KeyedHash

  /// A map onto so many shards. The secret is not the one of the shards' tables.
  public init(shardCount: Int, hash: KeyedHash) {
    precondition(shardCount > 0, "there is at least one shard")
    self.shardCount = shardCount
    self.hash = hash
  }

  /// The shard of a trace.
  public func shard(of id: TraceID) -> Int { shard(hash.hash(id)) }

  @inline(__always) func shard(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(shardCount)).high)
  }
}

/// Splits the valid spans of a request among the shards. Its room is reused from request to request.
public struct RequestPartitioner: Sendable {
  private struct Group {
    var hash: UInt64
    var first: UInt32
    var count: UInt32
    var shard: UInt32
  }

  private let map: ShardMap
  private var groups: [Group] = []
  private var groupOfSpan: [UInt32] = []
  /// Open addressing over `groups`: number plus one.
  private var table: [UInt32] = []
  private var offsets: [UInt32] = []
  private var fill: [UInt32] = []

  public init(map: ShardMap) { self.map = map }

  /// The indices of the valid spans, one list a shard, those of a trace next to each other and in rising order.
  public mutating func partition(_ facts: RequestFacts) -> [[UInt32]] {
    group(facts)
    fill.removeAll(keepingCapacity: true)
    fill.append(contentsOf: repeatElement(0, count: map.shardCount))
    offsets.removeAll(keepingCapacity: true)
    for group in groups {
      offsets.append(fill[Int(group.shard)])
      fill[Int(group.shard)] &+= group.count
    }
    var lists = fill.map { count in
      var list: [UInt32] = []
      list.fill(0, count: Int(count))
      return list
    }
    for (index, number) in groupOfSpan.enumerated() where number != .max {
      if facts.isLong { LongWork.step(index) }
      let shard = Int(groups[Int(number)].shard)
      lists[shard][Int(offsets[Int(number)])] = UInt32(truncatingIfNeeded: index)
      offsets[Int(number)] &+= 1
    }
    if table.capacity > 1 << 16 { giveBack() }
    return lists
  }

  /// Gives back what an unusually large request took.
  private mutating func giveBack() {
    groups.giveBack()
    groupOfSpan.giveBack()
    table.giveBack()
    offsets.giveBack()
  }

  private mutating func group(_ facts: RequestFacts) {
    groups.removeAll(keepingCapacity: true)
    groupOfSpan.removeAll(keepingCapacity: true)
    groupOfSpan.reserveCapacity(facts.spans.count)
    var capacity = 16
    while capacity < facts.spans.count &* 2 { capacity &*= 2 }
    table.fill(0, count: capacity)
    let spans = facts.spans.span
    var last: UInt32 = .max
    for index in spans.indices {
      if facts.isLong { LongWork.step(index) }
      guard spans[index].traits.isDisjoint(with: .invalid) else {
        groupOfSpan.append(.max)
        continue
      }
      let id = spans[index].traceID
      if last == .max || spans[Int(groups[Int(last)].first)].traceID != id {
        last = number(of: id, at: index, in: spans, mask: capacity &- 1)
      }
      groups[Int(last)].count &+= 1
      groupOfSpan.append(last)
    }
  }

  @inline(__always) private mutating func number(
    of id: TraceID, at index: Int, in spans: borrowing Span<SpanFacts>, mask: Int
  ) -> UInt32 {
    let hash = map.hash.hash(id)
    var position = Int(truncatingIfNeeded: hash) & mask
    while table[position] != 0 {
      let number = table[position] &- 1
      let group = groups[Int(number)]
      if group.hash == hash, spans[Int(group.first)].traceID == id { return number }
      position = (position &+ 1) & mask
    }
    groups.append(
      Group(hash: hash, first: UInt32(truncatingIfNeeded: index), count: 0, shard: UInt32(map.shard(hash))))
    table[position] = UInt32(truncatingIfNeeded: groups.count)
    return table[position] &- 1
  }
}
