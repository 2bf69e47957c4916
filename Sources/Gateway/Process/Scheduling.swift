internal import CLinux
internal import NIOCore

/// How the process's threads share the cores.
enum Scheduling {
  /// Short enough that nobody notices, in nanoseconds; the system's own slices are milliseconds.
  private static let responsiveSlice: UInt64 = 100_000
  /// An event loop that never pauses leaves the thread with long work a twentieth of its core. With less, large requests
  /// wait longer then (at 19 three times as long); with more, the event loop waits for what cannot pause, above all
  /// for the decompression of a large body.
  private static let bulkNiceness: CInt = 13

  /// The cores that this process may use: what its control group and its affinity leave it.
  static var cores: Int {
    let allowed = Int(longspan_allowed_cores())
    return allowed > 0 ? min(allowed, System.coreCount) : System.coreCount
  }

  /// Makes the calling thread one that answers soon: it asks for short slices, and so gets its next one soon.
  static func beResponsive() { longspan_schedule(0, responsiveSlice) }

  /// Makes the calling thread one that has long work and gives way to the others: it is owed little, and has that in
  /// short slices.
  static func giveWay() { longspan_schedule(bulkNiceness, responsiveSlice) }
}
