/// A queue in chunks, whose elements are known by their running numbers. It grows without moving what it has, and what
/// went in first gives its chunks back first.
struct ChunkedQueue<Element: Sendable>: Sendable {
  private static var chunkSize: UInt64 { 1024 }

  /// The chunk of a number is in the place of the number's bits above those for the place in a chunk; empty where no
  /// element is there.
  private var ring: [[Element]] = [[]]
  /// The number of the oldest element, or of the next one where there is none.
  private(set) var first: UInt64 = 0
  private(set) var count = 0
  private var chunkCount = 0

  init() {}

  /// The number of the next element.
  var end: UInt64 { first &+ UInt64(count) }

  /// Bytes of all chunks.
  var byteCount: Int {
    chunkCount &* Int(Self.chunkSize) &* MemoryLayout<Element>.stride &+ ring.capacity &* 8
  }

  /// An element that is there by its number, of which the last 32 bits are enough.
  @inline(__always) subscript(_ number: UInt64) -> Element {
    @inline(__always) _read { yield ring[place(number)][Int(truncatingIfNeeded: number % Self.chunkSize)] }
    @inline(__always) _modify { yield &ring[place(number)][Int(truncatingIfNeeded: number % Self.chunkSize)] }
  }

  mutating func append(_ element: Element) {
    if end % Self.chunkSize == 0 { addChunk() }
    ring[place(end)].append(element)
    count &+= 1
  }

  /// Takes out so many of the oldest elements.
  mutating func removeFirst(_ removed: Int = 1) {
    precondition(removed <= count, "what is taken out is there")
    var left = UInt64(removed)
    count &-= removed
    while left > 0 {
      let step = min(left, Self.chunkSize &- first % Self.chunkSize)
      first &+= step
      left &-= step
      guard first % Self.chunkSize == 0 else { return }
      ring[place(first &- 1)] = []
      chunkCount &-= 1
    }
  }

  @inline(__always) private func place(_ number: UInt64) -> Int {
    Int(truncatingIfNeeded: number / Self.chunkSize) & (ring.count &- 1)
  }

  @inline(never) private mutating func addChunk() {
    if chunkCount == ring.count {
      let old = ring
      let oldest = first / Self.chunkSize
      ring = Array(repeating: [], count: old.count &* 2)
      for step in 0..<UInt64(old.count) {
        let number = (oldest &+ step) &* Self.chunkSize
        ring[place(number)] = old[Int(truncatingIfNeeded: oldest &+ step) & (old.count &- 1)]
      }
    }
    chunkCount &+= 1
    ring[place(end)].reserveCapacity(Int(Self.chunkSize))
  }
}
