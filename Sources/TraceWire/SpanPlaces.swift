/// Where the fields of fixed length lie in a span that is one of many in a request: offsets of their values, 0 for
/// those that are not there (a value is never at the start of a request). They are looked for in front of the
/// attributes, where everybody writes them.
@frozen public struct SpanPlaces: Sendable {
  public var traceID: UInt32 = 0
  public var spanID: UInt32 = 0
  public var parentID: UInt32 = 0
  public var start: UInt32 = 0
  public var end: UInt32 = 0

  @inlinable public init() {}

  /// Appends the places of all spans in complete `resource_spans` fields, in the order of the bytes. IDs of another
  /// length than they should have are not there. It reads tags and lengths alone, so that other values at these places
  /// lead to the same places again.
  public static func find(in bytes: RawSpan, into places: inout [SpanPlaces]) throws(WireFault) {
    var request = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while request.hasMore {
      let tag = try request.tag()
      guard tag == 0x0a else {
        try request.skip(tag, depth: 1)
        continue
      }
      var resource = ProtobufCursor(bytes, in: try request.delimited())
      while resource.hasMore {
        let tag = try resource.tag()
        guard tag == 0x12 else {
          try resource.skip(tag, depth: 2)
          continue
        }
        var scope = ProtobufCursor(bytes, in: try resource.delimited())
        while scope.hasMore {
          let tag = try scope.tag()
          guard tag == 0x12 else {
            try scope.skip(tag, depth: 3)
            continue
          }
          places.append(try SpanPlaces(bytes, in: try scope.delimited()))
        }
      }
    }
  }

  @inline(__always) private init(_ bytes: RawSpan, in range: ByteRange) throws(WireFault) {
    var span = ProtobufCursor(bytes, in: range)
    while span.hasMore {
      let tag = try span.tag()
      switch tag {
      case 0x0a: traceID = Self.place(try span.delimited(), of: 16)
      case 0x12: spanID = Self.place(try span.delimited(), of: 8)
      case 0x22: parentID = Self.place(try span.delimited(), of: 8)
      case 0x39:
        start = UInt32(truncatingIfNeeded: span.position)
        _ = try span.fixed64()
      case 0x41:
        end = UInt32(truncatingIfNeeded: span.position)
        _ = try span.fixed64()
      default:
        // Attributes, events, links: what comes from here on is not looked at.
        if tag > 0x41 { return }
        try span.skip(tag, depth: 4)
      }
    }
  }

  @inline(__always) private static func place(_ range: ByteRange, of count: Int) -> UInt32 {
    range.count == count ? range.lower : 0
  }
}
