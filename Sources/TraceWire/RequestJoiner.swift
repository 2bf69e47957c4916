/// Puts the parts of resources and scopes that a peer sent in several pieces into one piece each, as protobuf merges
/// them: what edits a resource or scope has to see all of it.
public enum RequestJoiner {
  /// An `ExportTraceServiceRequest` with one `resource` in each `ResourceSpans` and one `scope` in each `ScopeSpans`.
  public static func joined(_ bytes: RawSpan) throws(WireFault) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.byteCount)
    var fields = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      if tag == 0x0a {
        var message: [UInt8] = []
        try join(try fields.delimited(), of: bytes, inner: 0x12, to: &message)
        output.appendTag(1, 2)
        output.appendVarint(UInt64(message.count))
        output += message
      } else {
        try fields.skip(tag, depth: Depth.request)
        output.append(ByteRange(start, fields.position), of: bytes)
      }
    }
    return output
  }

  /// Appends a `ResourceSpans` or `ScopeSpans` with all its fields 1 as one. `inner` is the tag of the messages that
  /// are to be joined likewise.
  private static func join(
    _ range: ByteRange, of bytes: RawSpan, inner: UInt64?, to output: inout [UInt8]
  ) throws(WireFault) {
    var head: [UInt8] = []
    var rest: [UInt8] = []
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      if tag == 0x0a {
        head.append(try fields.delimited(), of: bytes)
      } else if tag == inner {
        var message: [UInt8] = []
        try join(try fields.delimited(), of: bytes, inner: nil, to: &message)
        rest.appendTag(2, 2)
        rest.appendVarint(UInt64(message.count))
        rest += message
      } else {
        try fields.skip(tag, depth: Depth.resourceSpans)
        rest.append(ByteRange(start, fields.position), of: bytes)
      }
    }
    output.appendTag(1, 2)
    output.appendVarint(UInt64(head.count))
    output += head + rest
  }
}
