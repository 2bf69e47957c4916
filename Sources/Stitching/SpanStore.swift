/// The pieces of one trace's bytes in a `SpanStore`, in the order they came.
struct StoredSlices: Sendable {
  fileprivate var first: UInt32 = .max
  fileprivate var last: UInt32 = .max

  init() {}

  var isEmpty: Bool { first == .max }
}

/// The spans' bytes of all traces of a shard, compressed, in blocks that are written from end to end like a log.
///
/// A slice of a trace lies in one block: eight bytes of header (its number, its length, how it is packed), then itself.
/// A block goes when all its slices are gone; traces that came together go together, so most blocks go as a whole.
/// Where too much of the blocks is dead, what is left of the emptiest is copied to the end of the log, as it is.
struct SpanStore {
  private static let headerBytes = 8
  private static let lengthMax = 1 << 24

  private struct Slice: Sendable {
    var block: UInt32
    var offset: UInt32
    /// The next of its trace, or of those that are free.
    var next: UInt32
  }

  private struct Block: Sendable {
    var bytes: [UInt8] = []
    /// Bytes of slices that are there still.
    var live = 0
    var isThin = false
  }

  private let blockBytes: Int
  /// Longer slices are cut: so a block never stays half empty because the next slice is long.
  private let sliceBytesMax: Int
  private var coding = SliceCoding()
  private var slices = ChunkedArray<Slice>()
  private var freeSlices: UInt32 = .max
  private var sliceCount = 0
  private var blocks: [Block] = []
  private var gone: [UInt32] = []
  private var open: UInt32 = .max
  /// Blocks less than half of which is live, in the order they became so.
  private var thin: [UInt32] = []
  private var frame: [UInt8] = []
  private var liveBytes = 0
  private var writtenBytes = 0

  /// A store whose blocks have this size.
  init(blockBytes: Int) {
    precondition((1 << 10...8 << 20).contains(blockBytes), "blocks are of a size between 1 KiB and 8 MiB")
    self.blockBytes = blockBytes
    sliceBytesMax = min(blockBytes / 4, 64 << 10)
  }

  /// What the slices that are there are charged with.
  var heldBytes: Int { liveBytes &+ sliceCount &* MemoryLayout<Slice>.stride }

  /// Bytes of blocks whose slices are gone.
  var deadBytes: Int { writtenBytes &- liveBytes }

  /// Bytes of everything: blocks with what is dead in them, tables, dictionaries.
  var byteCount: Int {
    (blocks.count &- gone.count) &* blockBytes &+ blocks.capacity &* MemoryLayout<Block>.stride &+ slices.byteCount
      &+ coding.byteCount &+ frame.capacity
  }

  /// Adds bytes to those of a trace.
  mutating func append(_ bytes: [UInt8], to trace: inout StoredSlices) {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start &+ sliceBytesMax)
      frame.removeAll(keepingCapacity: true)
      let coding = coding.pack(bytes.span.bytes.extracting(start..<end), to: &frame)
      let own = newSlice()
      place(own, coding)
      if trace.last == .max { trace.first = own } else { slices[Int(trace.last)].next = own }
      trace.last = own
      start = end
    }
  }

  /// Appends the bytes of a trace.
  func read(_ trace: StoredSlices, to output: inout [UInt8]) {
    var total = 0
    forEach(trace) { packed, coding in total &+= self.coding.rawBytes(packed, coding) }
    output.append(addingCapacity: total) { output in
      forEach(trace) { packed, coding in self.coding.unpack(packed, coding, to: &output) }
    }
  }

  /// What a trace is charged with.
  func heldBytes(_ trace: StoredSlices) -> Int {
    var total = 0
    forEach(trace) { packed, _ in
      total &+= packed.byteCount &+ Self.headerBytes &+ MemoryLayout<Slice>.stride
    }
    return total
  }

  /// Gives back the room of a trace.
  mutating func remove(_ trace: StoredSlices) {
    var number = trace.first
    while number != .max {
      let slice = slices[Int(number)]
      let header = header(slice.block, slice.offset)
      coding.release(header.coding)
      release(slice.block, Self.headerBytes &+ header.length)
      slices[Int(number)] = Slice(block: .max, offset: 0, next: freeSlices)
      freeSlices = number
      sliceCount &-= 1
      number = slice.next
    }
    if deadBytes > liveBytes / 8 &+ 2 &* blockBytes { tidy() }
  }

  // MARK: Slices

  private struct Header {
    var number: UInt32
    var length: Int
    var coding: SliceCoding.Coding
  }

  private func header(_ block: UInt32, _ offset: UInt32) -> Header {
    let bytes = blocks[Int(block)].bytes
    let word = bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: Int(offset), as: UInt64.self)
    return Header(
      number: UInt32(truncatingIfNeeded: word), length: Int(word >> 40),
      coding: SliceCoding.Coding(truncatingIfNeeded: word >> 32))
  }

  private func forEach(_ trace: StoredSlices, _ body: (RawSpan, SliceCoding.Coding) -> Void) {
    var number = trace.first
    while number != .max {
      let slice = slices[Int(number)]
      let header = header(slice.block, slice.offset)
      let start = Int(slice.offset) &+ Self.headerBytes
      let bytes = blocks[Int(slice.block)].bytes
      body(bytes.span.bytes.extracting(start..<start &+ header.length), header.coding)
      number = slice.next
    }
  }

  private mutating func newSlice() -> UInt32 {
    sliceCount &+= 1
    let fresh = Slice(block: .max, offset: 0, next: .max)
    guard freeSlices != .max else {
      slices.append(fresh)
      return UInt32(truncatingIfNeeded: slices.count &- 1)
    }
    let own = freeSlices
    freeSlices = slices[Int(own)].next
    slices[Int(own)] = fresh
    return own
  }

  /// Writes `frame` to the end of the log.
  private mutating func place(_ number: UInt32, _ coding: SliceCoding.Coding) {
    precondition(frame.count < Self.lengthMax, "a slice is short")
    let bytes = Self.headerBytes &+ frame.count
    makeRoom(for: bytes)
    let block = Int(open)
    let offset = blocks[block].bytes.count
    let word = UInt64(number) | UInt64(coding) << 32 | UInt64(frame.count) << 40
    withUnsafeBytes(of: word) { blocks[block].bytes.append(contentsOf: $0) }
    blocks[block].bytes.append(contentsOf: frame)
    blocks[block].live &+= bytes
    liveBytes &+= bytes
    writtenBytes &+= bytes
    slices[Int(number)].block = open
    slices[Int(number)].offset = UInt32(truncatingIfNeeded: offset)
  }

  // MARK: Blocks

  private mutating func makeRoom(for bytes: Int) {
    if open != .max {
      guard blocks[Int(open)].bytes.count &+ bytes > blockBytes else { return }
      let full = open
      open = .max
      // What was thin while it was open is noted now.
      release(full, 0)
    }
    var block = Block()
    block.bytes.reserveCapacity(blockBytes)
    if let spare = gone.popLast() {
      blocks[Int(spare)] = block
      open = spare
    } else {
      open = UInt32(truncatingIfNeeded: blocks.count)
      blocks.append(block)
    }
  }

  /// Takes dead bytes off a block, and sees to it when little is left.
  private mutating func release(_ number: UInt32, _ bytes: Int) {
    let block = Int(number)
    blocks[block].live &-= bytes
    liveBytes &-= bytes
    if blocks[block].live == 0 {
      writtenBytes &-= blocks[block].bytes.count
      if number == open {
        blocks[block].bytes.removeAll(keepingCapacity: true)
      } else {
        blocks[block] = Block()
        gone.append(number)
      }
    } else if number != open, !blocks[block].isThin, blocks[block].live < blocks[block].bytes.count / 2 {
      blocks[block].isThin = true
      // Most blocks are gone soon after they have become thin.
      if thin.count > 2 &* blocks.count {
        thin = (0..<UInt32(truncatingIfNeeded: blocks.count)).filter { blocks[Int($0)].isThin }
      } else {
        thin.append(number)
      }
    }
  }

  /// Copies what is left of thin blocks to the end of the log, until little is dead or no block is thin.
  private mutating func tidy() {
    // Taken out: while blocks move others become thin, and the list may be made anew.
    var candidates: [UInt32] = []
    swap(&candidates, &thin)
    var done = 0
    while done < candidates.count, deadBytes > liveBytes / 8 &+ blockBytes {
      let number = candidates[done]
      done &+= 1
      // A number may stand here that is another block's by now.
      if blocks[Int(number)].isThin { move(number) }
    }
    thin.insert(contentsOf: candidates[done...], at: 0)
  }

  private mutating func move(_ number: UInt32) {
    var offset: UInt32 = 0
    while blocks[Int(number)].live > 0 {
      let header = header(number, offset)
      let slice = slices[Int(header.number)]
      if slice.block == number, slice.offset == offset {
        let start = Int(offset) &+ Self.headerBytes
        frame.removeAll(keepingCapacity: true)
        frame.append(contentsOf: blocks[Int(number)].bytes[start..<start &+ header.length])
        place(header.number, header.coding)
        release(number, Self.headerBytes &+ header.length)
      }
      offset &+= UInt32(truncatingIfNeeded: Self.headerBytes &+ header.length)
    }
  }
}
