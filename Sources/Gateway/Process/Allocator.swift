internal import CLinux
internal import TraceWire

/// The C library's allocator, of which all memory comes: set up so that what is given back to it goes back to the
/// system, where it would otherwise stay with the process for good.
enum Allocator {
  /// Larger pieces are mapped by themselves and unmapped when they are given back. Left to itself the allocator raises
  /// this to 32 MiB with the first large request, and keeps what large requests took. Much lower, and requests of an
  /// ordinary size would pay for fresh pages each time.
  private static let mappedBytesMin = CInt(Pages.mappedMin)
  /// What an arena keeps of free memory at its end. Left to itself the allocator keeps 128 KiB: each batch that is done
  /// gives its pages back, and the next one has the system map and clear as many.
  private static let keptBytesMax: CInt = 8 << 20
  /// By how much more than is needed an arena grows.
  private static let growthBytes: CInt = 1 << 20
  /// More arenas than threads that allocate much only scatter what is free.
  private static let arenasMax: CInt = 8

  /// To be called before threads are made.
  static func setUp() {
    _ = mallopt(M_MMAP_THRESHOLD, mappedBytesMin)
    _ = mallopt(M_TRIM_THRESHOLD, keptBytesMax)
    _ = mallopt(M_TOP_PAD, growthBytes)
    _ = mallopt(M_ARENA_MAX, arenasMax)
  }

  /// Gives the system every page that holds nothing.
  static func trim() { _ = malloc_trim(0) }
}
