internal import CLinux
internal import NIOCore

/// How the process's threads share the cores.
enum Scheduling {
  /// Short enough that nobody notices, in nanoseconds; the system's own slices are milliseconds.
  private static let responsiveSlice: UInt64 = 100_000
  /// What the thread with long work is owed for the time that the event loop had its core, it gets at a stretch, up to a
  /// tick of the system's clock: at 10 that was three to five times as often as at 19, where it is owed a seventieth.
  /// With an event loop that never pauses, large requests wait for long: they are who can.
  private static let bulkNiceness: CInt = 19

  /// The cores that this process may use: what its control group and its affinity leave it.
  static var cores: Int {
    let allowed = Int(longspan_allowed_cores())
    return allowed > 0 ? min(allowed, System.coreCount) : System.coreCount
  }

  /// Makes the calling thread one that answers soon: it asks for short slices, and so gets its next one soon.
  static func beResponsive() { longspan_schedule(0, responsiveSlice) }

  /// Makes the calling thread one that has long work and gives way to the others.
  static func giveWay() { longspan_schedule(bulkNiceness, 0) }
}
