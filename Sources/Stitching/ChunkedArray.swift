/// An array that grows by chunks: it never moves what it has, so that growing needs no second copy of a large table,
/// nobody waits for that, and at most a chunk is left unused. Only the first chunk begins small and is moved.
struct ChunkedArray<Element: Sendable>: Sendable {
  private static var chunkSize: Int { 1024 }
  private static var firstSizeMin: Int { 16 }

  private var chunks: [[Element]] = []
  private(set) var count = 0

  init() {}

  /// Bytes of all chunks.
  var byteCount: Int {
    let own = chunks.count > 1 ? chunks.count &* Self.chunkSize : chunks.first?.capacity ?? 0
    return own &* MemoryLayout<Element>.stride &+ chunks.capacity &* 8
  }

  var isEmpty: Bool { count == 0 }

  @inline(__always) subscript(_ index: Int) -> Element {
    @inline(__always) _read { yield chunks[index / Self.chunkSize][index % Self.chunkSize] }
    @inline(__always) _modify { yield &chunks[index / Self.chunkSize][index % Self.chunkSize] }
  }

  @inline(__always) mutating func append(_ element: Element) {
    let chunk = count / Self.chunkSize
    if chunk == chunks.count || chunk == 0 { makeRoom(chunk) }
    chunks[chunk].append(element)
    count &+= 1
  }

  /// Takes the last element out, and keeps its room.
  mutating func popLast() -> Element? {
    guard count > 0 else { return nil }
    count &-= 1
    return chunks[count / Self.chunkSize].popLast()
  }

  @inline(never) private mutating func makeRoom(_ chunk: Int) {
    if chunk == chunks.count { chunks.append([]) }
    let wanted = chunk > 0 ? Self.chunkSize : min(Self.chunkSize, max(Self.firstSizeMin, chunks[0].capacity &* 2))
    if chunks[chunk].count == chunks[chunk].capacity { chunks[chunk].reserveCapacity(wanted) }
  }
}
