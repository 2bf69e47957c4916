internal import TraceWire

/// Room for the packed facts of all spans of a shard, in chunks, and for each the number of the next of its trace.
/// A chunk whose spans are all gone is given back; one that is less than half full is filled up before a new one is
/// made. Traces that came together go together, so that most chunks are either full or gone.
struct SpanRecords: Sendable {
  private static let shift: UInt32 = 9
  private static let chunkSize = 1 << 9
  /// Bytes of one record and the number of the next.
  static let recordBytes = MemoryLayout<PackedSpan>.stride &+ MemoryLayout<UInt32>.stride
  private static let chunkBytes = chunkSize &* recordBytes &+ 64 &+ MemoryLayout<Chunk>.stride

  private struct Chunk: Sendable {
    var spans: [PackedSpan] = []
    /// The next of the trace, or of the chunk's free records.
    var next: [UInt32] = []
    var live = 0
    var free = UInt32.max
    /// Whether it waits to be filled up.
    var isRoomy = false
  }

  private var chunks: [Chunk] = []
  /// Chunks that have been given back.
  private var gone: [UInt32] = []
  private var roomy: [UInt32] = []
  private var current: UInt32 = .max
  private(set) var count = 0

  init() {}

  var byteCount: Int {
    (chunks.count &- gone.count) &* Self.chunkBytes &+ chunks.capacity &* MemoryLayout<Chunk>.stride
  }

  @inline(__always) subscript(_ number: UInt32) -> PackedSpan {
    chunks[Int(number >> Self.shift)].spans[Int(number) & (Self.chunkSize &- 1)]
  }

  /// The next span of the same trace; `.max` after the last.
  @inline(__always) func next(_ number: UInt32) -> UInt32 {
    chunks[Int(number >> Self.shift)].next[Int(number) & (Self.chunkSize &- 1)]
  }

  @inline(__always) mutating func setNext(_ number: UInt32, _ next: UInt32) {
    chunks[Int(number >> Self.shift)].next[Int(number) & (Self.chunkSize &- 1)] = next
  }

  /// Notes that a span's parent is known.
  @inline(__always) mutating func adopt(_ number: UInt32) {
    chunks[Int(number >> Self.shift)].spans[Int(number) & (Self.chunkSize &- 1)].flags.insert(.parentKnown)
  }

  /// Places a span, which is the last of its trace.
  @inline(__always) mutating func add(_ span: PackedSpan) -> UInt32 {
    if current == .max || isFull(current) { current = chunkWithRoom() }
    let chunk = Int(current)
    chunks[chunk].live &+= 1
    count &+= 1
    let free = chunks[chunk].free
    guard free != .max else {
      let place = UInt32(truncatingIfNeeded: chunks[chunk].spans.count)
      chunks[chunk].spans.append(span)
      chunks[chunk].next.append(.max)
      return current << Self.shift | place
    }
    let place = Int(free)
    chunks[chunk].free = chunks[chunk].next[place]
    chunks[chunk].spans[place] = span
    chunks[chunk].next[place] = .max
    return current << Self.shift | free
  }

  /// Gives a span's room back.
  @inline(__always) mutating func remove(_ number: UInt32) {
    let chunk = Int(number >> Self.shift)
    let place = number & UInt32(Self.chunkSize &- 1)
    chunks[chunk].next[Int(place)] = chunks[chunk].free
    chunks[chunk].free = place
    chunks[chunk].live &-= 1
    count &-= 1
    if chunks[chunk].live < Self.chunkSize / 2, UInt32(chunk) != current { thin(chunk) }
  }

  @inline(__always) private func isFull(_ chunk: UInt32) -> Bool {
    chunks[Int(chunk)].free == .max && chunks[Int(chunk)].spans.count == Self.chunkSize
  }

  /// Sees to a chunk that is less than half full.
  private mutating func thin(_ chunk: Int) {
    if chunks[chunk].live == 0 {
      // Where it still is on the list of roomy ones, that entry finds it without room.
      chunks[chunk] = Chunk()
      gone.append(UInt32(truncatingIfNeeded: chunk))
    } else if !chunks[chunk].isRoomy {
      chunks[chunk].isRoomy = true
      roomy.append(UInt32(truncatingIfNeeded: chunk))
    }
  }

  @inline(never) private mutating func chunkWithRoom() -> UInt32 {
    while let chunk = roomy.popLast() {
      guard chunks[Int(chunk)].isRoomy else { continue }
      chunks[Int(chunk)].isRoomy = false
      return chunk
    }
    var chunk = Chunk()
    chunk.spans.reserveCapacity(Self.chunkSize)
    chunk.next.reserveCapacity(Self.chunkSize)
    if let spare = gone.popLast() {
      chunks[Int(spare)] = chunk
      return spare
    }
    precondition(chunks.count < 1 << (32 - Self.shift) - 1, "spans have 32-bit numbers")
    chunks.append(chunk)
    return UInt32(truncatingIfNeeded: chunks.count &- 1)
  }
}
