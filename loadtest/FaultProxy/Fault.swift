/// Which way bytes go.
public enum Direction: String, Sendable, CaseIterable {
  case toServer = "to-server"
  case toClient = "to-client"
}

/// What is wrong with a link. It holds for connections that are open and for those that are made while it lasts.
public enum Fault: Sendable, Hashable {
  /// Nothing.
  case none
  /// Every connection is reset (RST), new ones as soon as they were accepted.
  case reset
  /// Nothing travels, neither bytes nor ends; the senders' windows fill. What waited travels when the fault is gone, as
  /// TCP would send it again.
  case blackHole
  /// The other end is gone and nobody says so: what is sent is acknowledged and lost, ends too. A connection that this
  /// befell never comes back; those made afterwards work. In one direction the other goes on.
  case halfOpen(Set<Direction>)
  /// A connection is closed when so many bytes have travelled in one of its directions; what follows is cut off.
  case closeAfter(bytes: Int)

  /// Whether what travels in a direction is lost.
  func swallows(_ direction: Direction) -> Bool {
    if case .halfOpen(let directions) = self { directions.contains(direction) } else { false }
  }
}

extension Fault: CustomStringConvertible {
  /// The fault as it is written on a command line.
  public var description: String {
    switch self {
    case .none: "none"
    case .reset: "reset"
    case .blackHole: "blackhole"
    case .halfOpen(let directions):
      directions.count == 1 ? directions.map { "half-open:\($0.rawValue)" }.joined() : "half-open"
    case .closeAfter(let bytes): "close-after:\(bytes)"
    }
  }

  /// Reads `none`, `reset`, `blackhole`, `half-open`, `half-open:to-server`, `half-open:to-client`, `close-after:BYTES`.
  public init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "reset": self = .reset
    case "blackhole": self = .blackHole
    case "half-open": self = .halfOpen(Set(Direction.allCases))
    default:
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return nil }
      if parts[0] == "half-open", let direction = Direction(rawValue: parts[1]) {
        self = .halfOpen([direction])
      } else if parts[0] == "close-after", let bytes = ByteCount(parts[1]) {
        self = .closeAfter(bytes: bytes.bytes)
      } else {
        return nil
      }
    }
  }
}
