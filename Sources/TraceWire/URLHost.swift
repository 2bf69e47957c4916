/// Finds the host in an absolute URL (RFC 3986, 3.2.2).
public enum URLHost {
  /// Where the host of `scheme://user@host:port/...` is, an IPv6 address without its brackets; empty where the text
  /// has no authority.
  public static func find(_ url: ByteRange, in bytes: RawSpan) -> ByteRange {
    var lower = authorityStart(of: url, in: bytes)
    let end = Int(url.upper)
    var colon = -1
    var upper = lower
    search: while upper < end {
      switch bytes.byte(at: upper) {
      case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): break search
      case UInt8(ascii: "@"):
        lower = upper &+ 1
        colon = -1
      case UInt8(ascii: ":") where colon < 0: colon = upper
      default: break
      }
      upper &+= 1
    }
    guard lower < upper else { return ByteRange() }
    if bytes.byte(at: lower) == UInt8(ascii: "[") { return bracketed(lower &+ 1, upper, in: bytes) }
    if colon >= 0 { upper = colon }
    return upper == lower ? ByteRange() : ByteRange(lower, upper)
  }

  /// What is before the closing bracket.
  private static func bracketed(_ lower: Int, _ limit: Int, in bytes: RawSpan) -> ByteRange {
    var upper = lower
    while upper < limit, bytes.byte(at: upper) != UInt8(ascii: "]") { upper &+= 1 }
    return upper == limit || upper == lower ? ByteRange() : ByteRange(lower, upper)
  }

  /// The offset after `scheme://`; the end of the URL where there is no such thing.
  private static func authorityStart(of url: ByteRange, in bytes: RawSpan) -> Int {
    let start = Int(url.lower)
    let end = Int(url.upper)
    var offset = start
    while offset < end, isSchemeCharacter(bytes.byte(at: offset)) { offset &+= 1 }
    guard offset > start, end &- offset >= 3, bytes.byte(at: offset) == UInt8(ascii: ":"),
      bytes.byte(at: offset &+ 1) == UInt8(ascii: "/"), bytes.byte(at: offset &+ 2) == UInt8(ascii: "/")
    else { return end }
    return offset &+ 3
  }

  private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
