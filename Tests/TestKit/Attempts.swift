/// The attempts at what another process brings about in its own time: so many, and for so long, that only a defect can
/// need more. Counting alone would be a guess at how fast the machine is, a time alone at how busy.
public struct Attempts: Sequence, IteratorProtocol {
  private static let countMin = 2000
  private static let timeMin = Duration.seconds(60)

  private let start = ContinuousClock.now
  private var count = 0

  public init() {}

  /// The next attempt's number, from 0; nil when it is time to give up.
  public mutating func next() -> Int? {
    guard count < Self.countMin || start.duration(to: .now) < Self.timeMin else { return nil }
    defer { count += 1 }
    return count
  }
}
