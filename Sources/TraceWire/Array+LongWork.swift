internal import Glibc

extension Array {
  /// Makes room for so many elements, of which those past the first 2 MiB come in pages of 2 MiB where the system has
  /// such. Tens of thousands of small ones take long to be touched first and to be given back, and meanwhile nobody
  /// else in the process can map memory.
  public mutating func reserveLarge(_ count: Int) {
    reserveCapacity(count)
    let (byteCount, overflow) = capacity.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, byteCount > HugePages.size else { return }
    withUnsafeMutableBufferPointer { HugePages.prefer(UnsafeMutableRawPointer($0.baseAddress), byteCount) }
  }
}

private enum HugePages {
  static let size = 2 << 20

  /// A wish: where there are none, or the system does not give them, pages are small.
  static func prefer(_ start: UnsafeMutableRawPointer?, _ byteCount: Int) {
    guard let start else { return }
    let first = start.alignedUp(toMultipleOf: size)
    let usable = byteCount - (first - start)
    guard usable >= size else { return }
    _ = madvise(first, usable / size * size, MADV_HUGEPAGE)
  }
}
