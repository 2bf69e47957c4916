/// Edits one span message; everything that no edit names stays byte for byte, unknown fields included.
public enum SpanEditor {
  /// Appends the edited message of the span in `body` (without tag and length) and says where in `output` it is.
  ///
  /// Edits come in ascending order of their ordinals. Each dropped attribute raises `dropped_attributes_count` by
  /// one, up to the largest `UInt32`. A message that a walk has accepted does not throw; after a throw `output` has a
  /// part of the message at its end.
  public static func append(
    _ body: ByteRange, of bytes: RawSpan, traceState: TraceStateEdit, attributes: [AttributeEdit],
    to output: inout [UInt8]
  ) throws(WireFault) -> ByteRange {
    let start = output.count
    var edits = AttributeEdits(attributes)
    var traceState = PendingTraceState(traceState)
    let dropsAny = attributes.contains { $0.action == .drop }
    var dropped: UInt32 = 0
    var copier = RunCopier()
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let fieldStart = fields.position
      let tag = try fields.tag()
      switch tag {
      case 0x1a where traceState.isEdited:
        _ = try fields.delimited()
        copier.flush(of: bytes, to: &output)
        traceState.append(to: &output)
        continue
      case 0x4a where !attributes.isEmpty:
        let attribute = try fields.delimited()
        let record = ByteRange(fieldStart, fields.position)
        try edits.append(attribute, record: record, tag: 0x4a, of: bytes, copier: &copier, to: &output)
        continue
      case 0x50 where dropsAny:
        dropped = UInt32(truncatingIfNeeded: try fields.varint())
        continue
      default: try fields.skip(tag, depth: Depth.span)
      }
      copier.copy(ByteRange(fieldStart, fields.position), of: bytes, to: &output)
    }
    copier.flush(of: bytes, to: &output)
    traceState.append(to: &output)
    if dropsAny { appendDropped(dropped, and: edits.dropped, to: &output) }
    return ByteRange(start, output.count)
  }

  private static func appendDropped(_ before: UInt32, and now: UInt32, to output: inout [UInt8]) {
    let (sum, overflow) = before.addingReportingOverflow(now)
    let count = overflow ? UInt32.max : sum
    guard count > 0 else { return }
    output.append(0x50)
    output.appendVarint(UInt64(count))
  }
}

/// The new tracestate, until it is written where the old one was first.
private struct PendingTraceState {
  let isEdited: Bool
  private var value: [UInt8] = []

  init(_ edit: TraceStateEdit) {
    switch edit {
    case .keep: isEdited = false
    case .replace(let bytes):
      isEdited = true
      value = bytes
    }
  }

  mutating func append(to output: inout [UInt8]) {
    guard !value.isEmpty else { return }
    output.append(0x1a)
    output.appendVarint(UInt64(truncatingIfNeeded: value.count))
    output.append(contentsOf: value)
    value = []
  }
}
