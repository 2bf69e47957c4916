internal import Glibc

/// What takes long of a large array, because of its pages: as `LongWork`. A small array is not worth a pause.
extension Array where Element: BitwiseCopyable {
  /// Makes this so many times the element, in the room that is there as far as it goes.
  @inlinable public mutating func fill(_ element: Element, count: Int) {
    removeAll(keepingCapacity: true)
    reserveCapacity(count)
    let portion = Swift.max(1, Pages.atOnce / MemoryLayout<Element>.stride)
    while self.count < count {
      if !isEmpty { LongWork.pause() }
      append(contentsOf: repeatElement(element, count: Swift.min(portion, count &- self.count)))
    }
  }

  /// Empties the array and gives its room back.
  @inlinable public mutating func giveBack() {
    if count > Pages.mappedMin / MemoryLayout<Element>.stride { withUnsafeMutableBytes { Pages.giveBack($0) } }
    self = []
  }
}

/// The memory of large arrays, as the system gives it.
public enum Pages {
  /// Bytes to touch for the first time, or to give back, between two pauses: a fraction of a millisecond's work.
  @usableFromInline static let atOnce = 1 << 19
  /// Bytes from which on the allocator is to map an array by itself. The pages of smaller ones serve the next.
  public static let mappedMin = 4 << 20
  private static let size = 1 << 12

  /// Gives the system the whole pages of memory that nobody reads any more; the addresses stay, for who unmaps them. To
  /// unmap tens of mebibytes at once takes milliseconds.
  @usableFromInline static func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    var next = start.alignedUp(toMultipleOf: size)
    let end = (start + memory.count).alignedDown(toMultipleOf: size)
    while next < end {
      let count = Swift.min(atOnce, end - next)
      _ = madvise(next, count, MADV_DONTNEED)
      next += count
      LongWork.pause()
    }
  }
}
