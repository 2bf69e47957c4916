/// An array that grows by chunks: it never moves what it has, so that growing needs no second copy of a large table
/// and leaves at most a chunk unused.
struct ChunkedArray<Element: Sendable>: Sendable {
  private static var chunkSize: Int { 1024 }

  private var chunks: [[Element]] = []
  private(set) var count = 0

  init() {}

  /// Bytes of all chunks.
  var byteCount: Int { chunks.count &* Self.chunkSize &* MemoryLayout<Element>.stride }

  /// What one more element may at most add.
  static var chunkBytes: Int { chunkSize &* MemoryLayout<Element>.stride }

  @inline(__always) subscript(_ index: Int) -> Element {
    @inline(__always) _read { yield chunks[index / Self.chunkSize][index % Self.chunkSize] }
    @inline(__always) _modify { yield &chunks[index / Self.chunkSize][index % Self.chunkSize] }
  }

  mutating func append(_ element: Element) {
    if count % Self.chunkSize == 0 {
      var chunk: [Element] = []
      chunk.reserveCapacity(Self.chunkSize)
      chunks.append(chunk)
    }
    chunks[count / Self.chunkSize].append(element)
    count &+= 1
  }
}
