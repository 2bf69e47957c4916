internal import Delivery

/// A request's body as it comes in: one buffer with a size limit, whose room is charged to the byte budget.
///
/// Room is made for what a peer has sent and, where it announced more, for a multiple of that: an announcement costs
/// a peer nothing, so it alone buys nothing. A body that has become large gets all the room that it may need, of which
/// it is charged with what it has used: to move it again and again would take long, and pages that nobody has touched
/// are not there.
struct BodyBuffer: ~Copyable {
  /// What adding bytes came to.
  enum Growth {
    case grown
    case tooLarge
    case overBudget
  }

  /// How many times what it sent a peer gets room for, where it announced as much.
  private static let trust = 8
  private static let roomMin = 4096
  private static let largeBytes = 1 << 18

  private(set) var bytes: [UInt8] = []
  private var announced = 0
  /// What the budget is charged with.
  private(set) var charged = 0
  private let bytesMax: Int
  private let budget: ByteBudget

  init(bytesMax: Int, budget: ByteBudget) {
    self.bytesMax = bytesMax
    self.budget = budget
  }

  deinit { if charged > 0 { budget.release(charged) } }

  /// Notes the length that the peer announced.
  mutating func expect(_ byteCount: Int) { announced = byteCount }

  mutating func append(_ more: UnsafeRawBufferPointer) -> Growth {
    guard more.count <= bytesMax - bytes.count else { return .tooLarge }
    let needed = bytes.count + more.count
    if needed > charged {
      let room = room(for: needed)
      guard charge(upTo: room) else { return .overBudget }
      if bytes.capacity < needed { bytes.reserveCapacity(needed > Self.largeBytes ? most(for: needed) : room) }
    }
    bytes.append(contentsOf: more)
    return .grown
  }

  private func room(for needed: Int) -> Int {
    if needed > Self.largeBytes { return min(most(for: needed), needed &+ Self.largeBytes) }
    let factor = announced >= needed ? Self.trust : 2
    return min(most(for: needed), max(Self.roomMin, min(needed * factor, Self.largeBytes)))
  }

  /// The most that a body with so many bytes will need.
  private func most(for needed: Int) -> Int { announced >= needed ? announced : max(bytesMax, needed) }

  /// Charges for a body of this size. False: there is no room.
  private mutating func charge(upTo byteCount: Int) -> Bool {
    guard byteCount > charged else { return true }
    guard budget.reserve(byteCount - charged) else { return false }
    charged = byteCount
    return true
  }

  /// Takes over what was charged for the body elsewhere, this buffer's own charge with it.
  mutating func adopt(charged bytes: Int) { charged = bytes }

  /// Takes the bytes out; the charge stays, for whoever has them now.
  mutating func take() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }

  /// Forgets the bytes and gives the charge back.
  mutating func release() {
    bytes = []
    if charged > 0 { budget.release(charged) }
    charged = 0
  }
}
