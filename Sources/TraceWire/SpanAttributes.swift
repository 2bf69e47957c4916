/// The attributes of one message, one after the other and without allocation.
public struct SpanAttributes: ~Escapable {
  /// Which message's attributes are meant: each has them in a field of its own.
  public enum Owner: UInt64, Sendable {
    case resource = 0x0a
    /// Events, and scopes too.
    case event = 0x1a
    case link = 0x22
    case span = 0x4a
  }

  /// One attribute.
  @frozen public struct Element: Hashable, Sendable {
    /// It is the n-th attribute in the order of the bytes, from zero.
    public var ordinal: Int
    public var key: ByteRange
    /// Where its text is; `nil` where the value is no string.
    public var string: ByteRange?
    /// The whole field, tag and length included.
    public var record: ByteRange
    /// The `KeyValue` message.
    public var body: ByteRange
  }

  private var fields: ProtobufCursor
  private let owner: Owner
  private var ordinal = 0

  /// Makes an iterator over a span's or a resource's message.
  @_lifetime(copy bytes)
  public init(_ body: ByteRange, of bytes: RawSpan, owner: Owner = .span) {
    fields = ProtobufCursor(bytes, in: body)
    self.owner = owner
  }

  /// The next attribute; `nil` after the last. A message that a walk has accepted does not throw.
  @_lifetime(self: copy self)
  public mutating func next() throws(WireFault) -> Element? {
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      guard tag == owner.rawValue else {
        try fields.skip(tag, depth: Depth.span)
        continue
      }
      let body = try fields.delimited()
      let view = try AttributeView.read(body, of: fields.bytes, depth: Depth.attribute)
      defer { ordinal &+= 1 }
      return Element(
        ordinal: ordinal, key: view.key, string: view.kind == .string ? view.text : nil,
        record: ByteRange(start, fields.position), body: body)
    }
    return nil
  }
}
