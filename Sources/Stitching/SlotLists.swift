/// Doubly linked lists through the entries of a pool: an entry is in one list at most and leaves it in O(1).
/// Each list is a ring through its own sentinel, so that there are no special cases.
struct SlotLists: Sendable {
  private struct Node: Sendable {
    var previous: UInt32
    var next: UInt32
  }

  private var nodes = ChunkedArray<Node>()
  private let lists: UInt32

  /// So many empty lists.
  init(lists: Int) {
    self.lists = UInt32(lists)
    for own in 0..<UInt32(lists) { nodes.append(Node(previous: own, next: own)) }
  }

  var byteCount: Int { nodes.byteCount }

  /// Makes room for the entries below `count`.
  @inline(__always) mutating func reserve(entries count: Int) {
    while nodes.count < count &+ Int(lists) {
      let own = UInt32(truncatingIfNeeded: nodes.count)
      nodes.append(Node(previous: own, next: own))
    }
  }

  /// Puts an entry that is in no list at the end of one.
  @inline(__always) mutating func append(_ entry: UInt32, to list: UInt32 = 0) {
    let node = entry &+ lists
    let last = nodes[Int(list)].previous
    nodes[Int(node)] = Node(previous: last, next: list)
    nodes[Int(last)].next = node
    nodes[Int(list)].previous = node
  }

  /// Takes an entry out of its list, if it is in one.
  @inline(__always) mutating func remove(_ entry: UInt32) {
    let node = entry &+ lists
    let (previous, next) = (nodes[Int(node)].previous, nodes[Int(node)].next)
    nodes[Int(previous)].next = next
    nodes[Int(next)].previous = previous
    nodes[Int(node)] = Node(previous: node, next: node)
  }

  /// The entry at the front of a list.
  @inline(__always) func first(of list: UInt32 = 0) -> UInt32? {
    entry(at: nodes[Int(list)].next)
  }

  /// The entry behind one that is in a list.
  @inline(__always) func next(_ entry: UInt32) -> UInt32? { self.entry(at: nodes[Int(entry &+ lists)].next) }

  /// The lists' own sentinels come first.
  @inline(__always) private func entry(at node: UInt32) -> UInt32? { node < lists ? nil : node &- lists }
}
