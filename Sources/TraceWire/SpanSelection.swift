/// Which spans of a request are to be written: ascending indices, listed or all of a range.
struct SpanSelection: ~Escapable {
  private let list: Span<UInt32>
  private let isListed: Bool
  private let count: Int
  private let first: Int

  /// The spans with these indices.
  @_lifetime(copy list)
  init(_ list: Span<UInt32>) {
    self.list = list
    isListed = true
    count = list.count
    first = 0
  }

  /// The spans with indices in a range. The list is there for its lifetime only.
  @_lifetime(copy unused)
  init(_ range: Range<Int>, unused: Span<UInt32>) {
    list = unused
    isListed = false
    count = range.count
    first = range.lowerBound
  }

  /// Positions in the selection.
  var positions: Range<Int> { 0..<count }

  /// The index in `RequestFacts.spans` at a position.
  @inline(__always)
  subscript(position: Int) -> Int { isListed ? Int(list[position]) : first &+ position }

  /// The positions of a part that belong to one message, which has the spans before `limit`.
  @inline(__always)
  func prefix(of part: Range<Int>, before limit: UInt32) -> Range<Int> {
    guard isListed else { return part.lowerBound..<min(part.upperBound, Int(limit) &- first) }
    var end = part.lowerBound
    while end < part.upperBound, list[end] < limit { end &+= 1 }
    return part.lowerBound..<end
  }
}
