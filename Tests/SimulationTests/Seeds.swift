import Foundation

/// Which seeds are played.
enum Seeds {
  private static let asked = ProcessInfo.processInfo.environment["LONGSPAN_SEEDS"]
  static let areUsual = asked == nil

  static let chosen: ClosedRange<UInt64> = {
    let bounds = (asked ?? "").split(separator: "-").compactMap { UInt64($0) }
    guard let first = bounds.first, let last = bounds.last, first <= last else { return 0...1999 }
    return first...last
  }()
}
