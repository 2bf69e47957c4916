/// A block of IP addresses: `10.20.0.0/16`, `2001:db8::/32`, or a single address. Bits behind the prefix are ignored.
public struct CIDRBlock: Hashable, Sendable {
  /// The first address.
  public let address: IPAddress
  /// Leading bits that must agree, of 128 (IPv4 blocks count from 96).
  public let prefixLength: Int

  /// Reads a block; nil where the text is not one.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = IPAddress(Array(parts[0].utf8)) else { return nil }
    let offset = parts[0].utf8.contains(UInt8(ascii: ":")) ? 0 : 96
    var length = 128 - offset
    if parts.count == 2 {
      guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let given = Int(parts[1]), given <= length
      else { return nil }
      length = given
    }
    prefixLength = length + offset
    self.address = Self.mask(address, to: prefixLength)
  }

  /// Whether an address lies in the block.
  public func contains(_ other: IPAddress) -> Bool { Self.mask(other, to: prefixLength) == address }

  private static func mask(_ address: IPAddress, to length: Int) -> IPAddress {
    // A shift by 64 or more yields zero with `<<`, which is what an empty mask needs.
    let high = UInt64.max << UInt64(64 - min(length, 64))
    let low = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
    return IPAddress(high: address.high & high, low: address.low & low)
  }
}
