internal import TraceWire

/// The service at a span's other end, as its attributes name it: the first of them in rank (OpenTelemetry
/// specification, "OpenTelemetry to Zipkin Transformation", Remote endpoint). Addresses come with their port.
struct ZipkinRemote {
  private struct Source {
    let key: StaticString
    /// The port's attribute where the value is an address.
    var port: StaticString?
  }

  private static let ranks: [Source] = [
    Source(key: "peer.service"), Source(key: "server.address"), Source(key: "net.peer.name"),
    Source(key: "network.peer.address", port: "network.peer.port"), Source(key: "server.socket.domain"),
    Source(key: "server.socket.address", port: "server.socket.port"), Source(key: "net.sock.peer.name"),
    Source(key: "net.sock.peer.addr", port: "net.sock.peer.port"), Source(key: "peer.hostname"),
    Source(key: "peer.address", port: ""), Source(key: "db.name"),
  ]

  private var rank = Self.ranks.count
  private var text = ByteRange()
  private var port: UInt16 = 0

  init(_ span: OTLPSpan, of request: RawSpan) throws(WireFault) {
    var attributes = OTLPAttributes(span.body, of: request, .span, depth: OTLPSpan.Depth.span)
    while let attribute = try attributes.next() {
      guard attribute.value.kind == .text, !attribute.value.range.isEmpty else { continue }
      for better in 0..<rank where attribute.key.matches(Self.ranks[better].key, in: request) {
        rank = better
        text = attribute.value.range
        break
      }
    }
    guard rank < Self.ranks.count, let wanted = Self.ranks[rank].port, wanted.utf8CodeUnitCount > 0 else { return }
    var again = OTLPAttributes(span.body, of: request, .span, depth: OTLPSpan.Depth.span)
    while let attribute = try again.next() {
      guard attribute.value.kind == .int, attribute.key.matches(wanted, in: request) else { continue }
      port = UInt16(exactly: attribute.value.int) ?? 0
    }
  }

  /// Appends the member, where there is anything to say.
  func append(to output: inout [UInt8], of request: RawSpan) {
    guard rank < Self.ranks.count else { return }
    let family = Self.ranks[rank].port == nil ? nil : AddressFamily(text, in: request)
    switch family {
    case .v4: output.append(",\"remoteEndpoint\":{\"ipv4\":")
    case .v6: output.append(",\"remoteEndpoint\":{\"ipv6\":")
    case nil: output.append(",\"remoteEndpoint\":{\"serviceName\":")
    }
    output.append(jsonString: text, of: request)
    if port != 0 {
      output.append(",\"port\":")
      output.append(decimal: UInt64(port))
    }
    output.append(UInt8(ascii: "}"))
  }
}

/// Of which kind a literal address is.
enum AddressFamily {
  case v4
  case v6

  /// `nil` for what is no address: a host's name, an address with a port.
  init?(_ text: ByteRange, in bytes: RawSpan) {
    if Self.isIPv4(text.indices, in: bytes) {
      self = .v4
    } else if Self.isIPv6(text.indices, in: bytes) {
      self = .v6
    } else {
      return nil
    }
  }

  /// Four numbers of at most 255, without leading zeros.
  private static func isIPv4(_ text: Range<Int>, in bytes: RawSpan) -> Bool {
    var parts = 0
    var digits = 0
    var number = 0
    for offset in text {
      let byte = bytes.byte(at: offset)
      switch byte {
      case UInt8(ascii: "."):
        guard digits > 0 else { return false }
        parts &+= 1
        digits = 0
        number = 0
      case 0x30...0x39:
        guard digits == 0 || number > 0 else { return false }
        number = number &* 10 &+ Int(byte &- 0x30)
        digits &+= 1
        guard number <= 255 else { return false }
      default: return false
      }
      guard parts <= 3 else { return false }
    }
    return parts == 3 && digits > 0
  }

  /// Eight groups of up to four hex digits (RFC 4291, section 2.2), one gap, at the end perhaps an IPv4 address.
  private static func isIPv6(_ text: Range<Int>, in bytes: RawSpan) -> Bool {
    guard (2...45).contains(text.count) else { return false }
    var groups = 0
    var hasGap = false
    var offset = text.lowerBound
    while offset < text.upperBound {
      let isColon = bytes.byte(at: offset) == UInt8(ascii: ":")
      if isColon, offset &+ 1 < text.upperBound, bytes.byte(at: offset &+ 1) == UInt8(ascii: ":") {
        guard !hasGap else { return false }
        hasGap = true
        offset &+= 2
        if offset == text.upperBound { break }
      } else if isColon {
        guard groups > 0 else { return false }
        offset &+= 1
      } else if offset > text.lowerBound {
        return false
      }
      let start = offset
      while offset < text.upperBound, bytes.byte(at: offset).hexDigitValue != nil { offset &+= 1 }
      if offset < text.upperBound, bytes.byte(at: offset) == UInt8(ascii: ".") {
        groups &+= 2
        guard isIPv4(start..<text.upperBound, in: bytes) else { return false }
        offset = text.upperBound
      } else {
        guard (1...4).contains(offset &- start) else { return false }
        groups &+= 1
      }
    }
    return hasGap ? groups <= 7 : groups == 8
  }
}
