/// Finds the host in an absolute URL (RFC 3986, 3.2.2).
enum URLHost {
  /// Where the host of `scheme://user@host:port/...` is, an IPv6 address without its brackets; empty where the text
  /// has no authority.
  static func find(_ url: ByteRange, in bytes: RawSpan) -> ByteRange {
    let authority = authority(of: url.indices, in: bytes)
    var lower = authority.lowerBound
    for offset in authority where bytes.byte(at: offset) == UInt8(ascii: "@") { lower = offset &+ 1 }
    guard lower < authority.upperBound else { return ByteRange() }
    let isBracketed = bytes.byte(at: lower) == UInt8(ascii: "[")
    if isBracketed { lower &+= 1 }
    let closing = UInt8(ascii: isBracketed ? "]" : ":")
    var upper = lower
    while upper < authority.upperBound, bytes.byte(at: upper) != closing { upper &+= 1 }
    if isBracketed, upper == authority.upperBound { return ByteRange() }
    return upper == lower ? ByteRange() : ByteRange(lower, upper)
  }

  /// What is between `://` and the next `/`, `?`, `#` or the end.
  private static func authority(of url: Range<Int>, in bytes: RawSpan) -> Range<Int> {
    var lower = url.lowerBound
    while lower < url.upperBound, bytes.byte(at: lower) != UInt8(ascii: ":") {
      guard isSchemeCharacter(bytes.byte(at: lower)) else { return 0..<0 }
      lower &+= 1
    }
    guard lower > url.lowerBound, url.upperBound &- lower >= 3,
      bytes.byte(at: lower &+ 1) == UInt8(ascii: "/"), bytes.byte(at: lower &+ 2) == UInt8(ascii: "/")
    else { return 0..<0 }
    lower &+= 3
    var upper = lower
    while upper < url.upperBound {
      let byte = bytes.byte(at: upper)
      if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") { break }
      upper &+= 1
    }
    return lower..<upper
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
