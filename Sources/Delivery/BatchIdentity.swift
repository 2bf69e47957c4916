/// Who sent a batch and which one it is: the same at every try, also after the sender was killed and started again, so
/// that a receiver can tell a batch it already has.
///
/// As text `SOURCE/EPOCH/SEQUENCE`: a UUID of the sender, and two decimal numbers.
public struct BatchIdentity: Hashable, Sendable {
  /// The gRPC metadata key that carries it.
  public static let header: StaticString = "longspan-batch"

  /// The numbering a batch belongs to. It begins again with another source or epoch.
  public struct Origin: Hashable, Sendable, Codable {
    /// The sender's UUID, high half first.
    public var high: UInt64
    public var low: UInt64
    public var epoch: UInt64
    /// The region that the sender's certificate speaks for, where it has one: whoever learns a relay's UUID in another
    /// region cannot use up its numbers. Not in the text.
    public var region: String?

    /// Makes an origin.
    public init(high: UInt64, low: UInt64, epoch: UInt64, region: String? = nil) {
      self.high = high
      self.low = low
      self.epoch = epoch
      self.region = region
    }
  }

  /// Whose numbering it is.
  public var origin: Origin
  /// Its number there.
  public var sequence: UInt64

  /// Makes an identity.
  public init(origin: Origin, sequence: UInt64) {
    self.origin = origin
    self.sequence = sequence
  }

  /// Reads the text; nil where it is not one, or a number does not fit.
  public init?(_ text: some Sequence<UInt8>) {
    let bytes = Array(text.prefix(Self.textMax + 1))
    let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard bytes.count <= Self.textMax, parts.count == 3, let (high, low) = Self.uuid(parts[0]),
      let epoch = Self.number(parts[1]), let sequence = Self.number(parts[2])
    else { return nil }
    self.init(origin: Origin(high: high, low: low, epoch: epoch), sequence: sequence)
  }

  /// The text.
  public var text: String {
    var digits: [UInt8] = []
    for (half, hyphens) in [(origin.high, [8, 12]), (origin.low, [0, 4])] {
      for nibble in 0..<16 {
        if hyphens.contains(nibble) { digits.append(UInt8(ascii: "-")) }
        let value = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * nibble)) & 15
        digits.append(value < 10 ? 0x30 + value : 0x57 + value)
      }
    }
    return "\(String(decoding: digits, as: UTF8.self))/\(origin.epoch)/\(sequence)"
  }

  /// A UUID and two numbers of 20 digits.
  private static let textMax = 36 + 2 * 21

  private static func uuid(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
    guard text.count == 36 else { return nil }
    var halves: (high: UInt64, low: UInt64) = (0, 0)
    for (offset, byte) in text.enumerated() {
      if [8, 13, 18, 23].contains(offset) {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      let value: UInt8
      switch byte {
      case 0x30...0x39: value = byte - 0x30
      case 0x61...0x66: value = byte - 0x57
      case 0x41...0x46: value = byte - 0x37
      default: return nil
      }
      halves.high = halves.high << 4 | halves.low >> 60
      halves.low = halves.low << 4 | UInt64(value)
    }
    return (halves.high, halves.low)
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard (1...20).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt64(String(decoding: digits, as: UTF8.self))
  }
}
