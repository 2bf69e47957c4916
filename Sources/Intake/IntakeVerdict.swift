internal import Telemetry

extension IntakeVerdict {
  /// The reason under which a refusal is counted; `nil` for an acceptance.
  var refusalReason: RefusalReason? {
    switch self {
    case .accepted: nil
    case .malformed, .invalid: .malformed
    case .overload, .limited: .overload
    case .unauthenticated: .unauthenticated
    case .forbidden: .forbidden
    }
  }
}
