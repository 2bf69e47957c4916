internal import Delivery

/// A request's body as it comes in: one buffer with a size limit, charged to the byte budget as it grows.
///
/// Room is reserved ahead only for what a peer has sent already or announced within reason: an announcement costs
/// nothing, so it buys nothing.
struct BodyBuffer: ~Copyable {
  /// What adding bytes came to.
  enum Growth {
    case grown
    case tooLarge
    case overBudget
  }

  /// How much an announced length may reserve ahead.
  private static let reserveBytesMax = 1 << 20
  /// The budget is charged in steps of this many bytes.
  private static let chargeStep = 1 << 16

  private(set) var bytes: [UInt8] = []
  private var charged = 0
  private let bytesMax: Int
  private let budget: ByteBudget

  init(bytesMax: Int, budget: ByteBudget) {
    self.bytesMax = bytesMax
    self.budget = budget
  }

  deinit { if charged > 0 { budget.release(charged) } }

  /// Makes room for a body of an announced length, within reason.
  mutating func expect(_ byteCount: Int) {
    bytes.reserveCapacity(min(byteCount, bytesMax, Self.reserveBytesMax))
  }

  mutating func append(_ more: UnsafeRawBufferPointer) -> Growth {
    guard more.count <= bytesMax - bytes.count else { return .tooLarge }
    guard charge(upTo: bytes.count + more.count) else { return .overBudget }
    bytes.append(contentsOf: more)
    return .grown
  }

  /// Charges for a body of this size, for instance after decompression. False: there is no room.
  mutating func charge(upTo byteCount: Int) -> Bool {
    guard byteCount > charged else { return true }
    let step = (byteCount - charged + Self.chargeStep - 1) / Self.chargeStep * Self.chargeStep
    guard budget.reserve(step) else { return false }
    charged += step
    return true
  }

  /// Takes the bytes out; the charge stays until the buffer goes.
  mutating func take() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }
}
