/// How many parts a request has, counted without a look inside its spans: what reading it will take is known before
/// any of that is allocated. An empty span has two bytes on the wire, and in compressed bodies next to none, but its
/// facts have a hundred and more.
public struct RequestCensus: Sendable, Equatable {
  public private(set) var resources = 0
  public private(set) var scopes = 0
  public private(set) var spans = 0
  /// Whether the parts are so many that nearly all of them must be empty, for a request of this size. Then they were
  /// not counted to the end.
  public var isExcessive: Bool { left < 0 }
  /// Bytes that are held besides the request while it is looked at.
  public var readingBytes: Int { allowed &- left }

  private let allowed: Int
  private var left: Int

  /// A request gets so many times its size, which is more than spans with both IDs can need, and a first mebibyte.
  private static let ratioMax = 10
  private static let bytesFree = 1 << 20
  /// Room for the facts of a part and for what is decided about it.
  private static let resourceBytes = MemoryLayout<ResourceFacts>.stride + 100
  private static let scopeBytes = MemoryLayout<ScopeFacts>.stride + 16
  private static let spanBytes = MemoryLayout<SpanFacts>.stride + 100

  /// Counts the parts of an encoded `ExportTraceServiceRequest`, of a large one as `LongWork`. Faults inside of spans
  /// are not found.
  public init(_ bytes: RawSpan, isLong: Bool = false) throws(WireFault) {
    allowed = Self.bytesFree &+ Self.ratioMax &* bytes.byteCount
    left = allowed
    var fields = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while fields.hasMore, !isExcessive {
      let tag = try fields.tag()
      if tag == 0x0a {
        resources &+= 1
        left &-= Self.resourceBytes
        try countScopes(try fields.delimited(), of: bytes, isLong)
      } else {
        try fields.skip(tag, depth: Depth.request)
      }
    }
  }

  private mutating func countScopes(_ body: ByteRange, of bytes: RawSpan, _ isLong: Bool) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore, !isExcessive {
      let tag = try fields.tag()
      if tag == 0x12 {
        scopes &+= 1
        left &-= Self.scopeBytes
        try countSpans(try fields.delimited(), of: bytes, isLong)
      } else {
        try fields.skip(tag, depth: Depth.resourceSpans)
      }
    }
  }

  private mutating func countSpans(_ body: ByteRange, of bytes: RawSpan, _ isLong: Bool) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore, !isExcessive {
      let tag = try fields.tag()
      if tag == 0x12 {
        if isLong { LongWork.step(spans) }
        spans &+= 1
        left &-= Self.spanBytes
      }
      try fields.skip(tag, depth: Depth.scopeSpans)
    }
  }
}
