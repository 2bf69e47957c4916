/// Edits one resource message; everything that no edit names stays byte for byte, unknown fields included.
public enum ResourceEditor {
  /// Appends the edited message of the resource (without tag and length) and says where in `output` it is. An absent
  /// resource is an empty range.
  ///
  /// Edits come in ascending order of their ordinals; `adding` are encoded `KeyValue` messages (`KeyValueEncoder`).
  /// What is dropped here was not lost, so `dropped_attributes_count` stays. Throws as `SpanEditor` does.
  public static func append(
    _ resource: ByteRange, of bytes: RawSpan, attributes: [AttributeEdit], adding: [[UInt8]],
    to output: inout [UInt8]
  ) throws(WireFault) -> ByteRange {
    let start = output.count
    var edits = AttributeEdits(attributes)
    var copier = RunCopier()
    var fields = ProtobufCursor(bytes, in: resource)
    while fields.hasMore {
      let fieldStart = fields.position
      let tag = try fields.tag()
      if tag == 0x0a {
        let attribute = try fields.delimited()
        let record = ByteRange(fieldStart, fields.position)
        try edits.append(attribute, record: record, tag: 0x0a, of: bytes, copier: &copier, to: &output)
      } else {
        try fields.skip(tag, depth: Depth.resource)
        copier.copy(ByteRange(fieldStart, fields.position), of: bytes, to: &output)
      }
    }
    copier.flush(of: bytes, to: &output)
    for attribute in adding {
      output.append(0x0a)
      output.appendVarint(UInt64(truncatingIfNeeded: attribute.count))
      output.append(contentsOf: attribute)
    }
    return ByteRange(start, output.count)
  }
}
