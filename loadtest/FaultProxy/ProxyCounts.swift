/// What has come through a proxy so far.
public struct ProxyCounts: Sendable, Equatable {
  /// Connections that were accepted.
  public var accepted = 0
  /// Of them, those with at least one end still open.
  public var open = 0
  /// Bytes handed on, by direction.
  public var passedBytes: [Direction: Int] = [:]
  /// Bytes that were taken and lost, by direction.
  public var swallowedBytes: [Direction: Int] = [:]
  /// Bytes that wait, by direction.
  public var heldBytes: [Direction: Int] = [:]
}

extension ProxyCounts: CustomStringConvertible {
  /// One line for people and programs.
  public var description: String {
    let bytes = Direction.allCases.map { direction in
      let numbers = [passedBytes, heldBytes, swallowedBytes].map { "\($0[direction, default: 0])" }
      return "\(direction.rawValue)=\(numbers.joined(separator: "/"))"
    }
    return "accepted=\(accepted) open=\(open) \(bytes.joined(separator: " "))"
  }

  mutating func add(_ lane: Lane) {
    passedBytes[lane.direction, default: 0] += lane.passedBytes
    swallowedBytes[lane.direction, default: 0] += lane.swallowedBytes
    heldBytes[lane.direction, default: 0] += lane.heldBytes
  }
}
