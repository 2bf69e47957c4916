internal import Foundation

/// The time of day: only for what outlives the process, whose own clock begins anew with the machine.
enum WallClock {
  /// Milliseconds since the Unix epoch.
  static var milliseconds: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }
}
