/// What is to become of a span's tracestate.
public enum TraceStateEdit: Hashable, Sendable {
  case keep
  /// The field gets this value; an empty one removes it.
  case replace([UInt8])
}

/// What is to become of one attribute.
public struct AttributeEdit: Hashable, Sendable {
  /// What is done.
  public enum Action: Hashable, Sendable {
    case drop
    /// The value becomes this string.
    case replaceString([UInt8])
  }

  /// It is the n-th attribute in the order of the bytes, from zero (`SpanAttributes`).
  public var ordinal: Int
  public var action: Action

  /// Makes an edit of the attribute with this ordinal.
  public init(ordinal: Int, action: Action) {
    self.ordinal = ordinal
    self.action = action
  }
}

/// Goes along a message's attributes and its edits, both in the order of the bytes.
struct AttributeEdits {
  private let edits: [AttributeEdit]
  private var ordinal = 0
  private var index = 0
  /// How many attributes were dropped so far.
  private(set) var dropped: UInt32 = 0

  init(_ edits: [AttributeEdit]) {
    precondition(zip(edits, edits.dropFirst()).allSatisfy { $0.ordinal < $1.ordinal }, "edits come in ascending order")
    self.edits = edits
  }

  /// Appends the next attribute as its edit says.
  mutating func append(
    _ body: ByteRange, record: ByteRange, tag: UInt8, of bytes: RawSpan, copier: inout RunCopier,
    to output: inout [UInt8]
  ) throws(WireFault) {
    defer { ordinal &+= 1 }
    guard index < edits.count, edits[index].ordinal == ordinal else {
      copier.copy(record, of: bytes, to: &output)
      return
    }
    defer { index &+= 1 }
    switch edits[index].action {
    case .drop: dropped &+= 1
    case .replaceString(let text):
      try Self.append(body, string: text, tag: tag, of: bytes, copier: &copier, to: &output)
    }
  }

  /// Appends a `KeyValue` field with another value; its key and its unknown fields stay.
  private static func append(
    _ body: ByteRange, string: [UInt8], tag: UInt8, of bytes: RawSpan, copier: inout RunCopier,
    to output: inout [UInt8]
  ) throws(WireFault) {
    let value = BatchPieces.fieldSize(string.count)
    var count = BatchPieces.fieldSize(value)
    try forEachKept(body, of: bytes) { count &+= $0.count }
    copier.open(tag, count: count, of: bytes, to: &output)
    try forEachKept(body, of: bytes) { output.append($0, of: bytes) }
    output.append(0x12)
    output.appendVarint(UInt64(truncatingIfNeeded: value))
    output.append(0x0a)
    output.appendVarint(UInt64(truncatingIfNeeded: string.count))
    output.append(contentsOf: string)
  }

  /// Every field of a `KeyValue` but its value.
  private static func forEachKept(
    _ body: ByteRange, of bytes: RawSpan, _ visit: (ByteRange) -> Void
  ) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      try fields.skip(tag, depth: Depth.attribute)
      if tag != 0x12 { visit(ByteRange(start, fields.position)) }
    }
  }
}
