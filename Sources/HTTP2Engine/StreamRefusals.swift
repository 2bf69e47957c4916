/// Requests that the engine refused by itself, by reason.
public struct StreamRefusals: Sendable, Equatable {
  /// Why; the raw value is a metric label.
  public enum Reason: String, Sendable, CaseIterable {
    /// No right request of HTTP/2 (RFC 9113 8.1.1): reset, or answered with 400.
    case malformed
    /// Past the limit on header lists: answered with 431, or reset where to decode it costs too much.
    case headerListTooLarge = "header_list_too_large"
    /// One more than may be open.
    case tooManyStreams = "too_many_streams"
    /// A window was made larger than windows may be, or not kept to.
    case flowControl = "flow_control"
    /// Reset with another code.
    case other

    init(reset code: UInt32) {
      switch code {
      case 1: self = .malformed
      case 3: self = .flowControl
      case 11: self = .headerListTooLarge
      default: self = .other
      }
    }
  }

  /// How many, where there were any.
  public private(set) var counts: [Reason: Int] = [:]

  mutating func add(_ reason: Reason) { counts[reason, default: 0] &+= 1 }
}
