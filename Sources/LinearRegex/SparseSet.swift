/// A set of instructions in the order they came in, emptied in no time.
struct SparseSet: Sendable {
  private(set) var members: [Int32] = []
  private var places: [Int32]

  init(capacity: Int) { places = Array(repeating: 0, count: capacity) }

  /// Adds a member; whether it is new.
  @inline(__always)
  mutating func insert(_ member: Int32) -> Bool {
    let place = Int(places[Int(member)])
    if place < members.count, members[place] == member { return false }
    places[Int(member)] = Int32(truncatingIfNeeded: members.count)
    members.append(member)
    return true
  }

  mutating func removeAll() { members.removeAll(keepingCapacity: true) }
}
