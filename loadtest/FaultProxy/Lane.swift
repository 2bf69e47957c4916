import NIOCore

/// One direction of one connection: what came in, and what is to be done with it when. No I/O and no clock.
struct Lane {
  /// What to do next.
  enum Step: Equatable {
    case write(ByteBuffer)
    /// The sender has said all; say so.
    case finish
    /// Close both ends.
    case cut
    case wait(until: UInt64)
    case nothing
  }

  private enum Piece {
    case bytes(ByteBuffer)
    case end
  }

  let direction: Direction
  private var pieces = CircularBuffer<(piece: Piece, arrival: UInt64)>()
  private(set) var heldBytes = 0
  /// Bytes that came and are lost.
  private(set) var swallowedBytes = 0
  /// Bytes that were handed on.
  private(set) var passedBytes = 0
  /// Nothing travels for now.
  private(set) var isStopped = false
  private var bytesUntilCut: Int?
  /// A connection that lost bytes is of no use ever after.
  private(set) var isSwallowing = false

  init(_ direction: Direction) { self.direction = direction }

  /// Begins or ends a fault.
  mutating func apply(_ fault: Fault) {
    isStopped = fault == .blackHole
    if case .closeAfter(let bytes) = fault { bytesUntilCut = bytes } else { bytesUntilCut = nil }
    if fault.swallows(direction) { swallow() }
  }

  /// From now on everything is lost.
  mutating func swallow() {
    isSwallowing = true
    swallowedBytes += heldBytes
    heldBytes = 0
    pieces.removeAll()
  }

  /// Puts what has not arrived yet on a link that has changed.
  mutating func restart(now: UInt64, on link: LinkConditions, pace: inout LinkPace) {
    for index in pieces.indices {
      var count = 0
      if case .bytes(let bytes) = pieces[index].piece { count = bytes.readableBytes }
      pieces[index].arrival = pace.arrival(of: count, now: now, on: link)
    }
  }

  /// Takes in what the sender sent, in pieces that a slow link carries within a twentieth of a second.
  mutating func receive(_ bytes: ByteBuffer, now: UInt64, on link: LinkConditions, pace: inout LinkPace) {
    guard !isSwallowing else { return swallowedBytes += bytes.readableBytes }
    var rest = bytes
    let pieceBytes = link.bytesPerSecond.map { max(1024, $0 / 20) } ?? .max
    while let piece = rest.readSlice(length: min(rest.readableBytes, pieceBytes)), piece.readableBytes > 0 {
      heldBytes += piece.readableBytes
      pieces.append((.bytes(piece), pace.arrival(of: piece.readableBytes, now: now, on: link)))
    }
  }

  /// The sender has ended.
  mutating func end(now: UInt64, on link: LinkConditions, pace: inout LinkPace) {
    guard !isSwallowing else { return }
    pieces.append((.end, pace.arrival(of: 0, now: now, on: link)))
  }

  /// What is to be done now; to be asked again until it is `wait` or `nothing`.
  mutating func next(now: UInt64) -> Step {
    if bytesUntilCut == 0 { return .cut }
    guard !isStopped, let first = pieces.first else { return .nothing }
    guard first.arrival <= now else { return .wait(until: first.arrival) }
    guard case .bytes(var bytes) = pieces.removeFirst().piece else { return .finish }
    if let left = bytesUntilCut {
      let count = min(left, bytes.readableBytes)
      bytesUntilCut = left - count
      if count < bytes.readableBytes, let kept = bytes.readSlice(length: count) {
        pieces.prepend((.bytes(bytes), first.arrival))
        bytes = kept
      }
    }
    heldBytes -= bytes.readableBytes
    passedBytes += bytes.readableBytes
    return .write(bytes)
  }

  /// Whether the sender is read from.
  func wantsMore(on link: LinkConditions) -> Bool { isSwallowing || (!isStopped && heldBytes < link.heldBytesMax) }
}
