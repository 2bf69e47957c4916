internal import TraceWire

/// The value of one attribute as a view. Of a field that is there several times the last counts.
struct AnyValueView {
  enum Kind { case none, string, bool, int, double, array, list, bytes }

  var kind = Kind.none
  /// The content of a string, bytes, an array or a list.
  var content = ByteRange()
  /// The bits of a number or truth value.
  var word: UInt64 = 0
  /// The whole `AnyValue` message.
  var message = ByteRange()

  /// Reads the value of a `KeyValue` message.
  init(of attribute: ByteRange, in bytes: RawSpan) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: attribute)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x12 { try read(try fields.delimited(), in: bytes) } else { try fields.skip(tag, depth: 1) }
    }
  }

  private mutating func read(_ value: ByteRange, in bytes: RawSpan) throws(WireFault) {
    message = value
    var fields = ProtobufCursor(bytes, in: value)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: (kind, content) = (.string, try fields.delimited())
      case 0x10: (kind, word) = (.bool, try fields.varint())
      case 0x18: (kind, word) = (.int, try fields.varint())
      case 0x21: (kind, word) = (.double, try fields.fixed64())
      case 0x2a: (kind, content) = (.array, try fields.delimited())
      case 0x32: (kind, content) = (.list, try fields.delimited())
      case 0x3a: (kind, content) = (.bytes, try fields.delimited())
      default: try fields.skip(tag, depth: 1)
      }
    }
  }

  /// Appends it as text; arrays and lists as they are encoded.
  func appendText(in bytes: RawSpan, to output: inout [UInt8]) {
    switch kind {
    case .none: break
    case .string, .bytes, .array, .list: bytes.append(content, to: &output)
    case .bool, .int, .double: output += Self.text(kind, word)
    }
  }

  /// A number or truth value as it is written.
  static func text(_ kind: Kind, _ word: UInt64) -> [UInt8] {
    switch kind {
    case .bool: return Array((word != 0 ? "true" : "false").utf8)
    case .int: return Array("\(Int64(bitPattern: word))".utf8)
    case .double: return Array(text(Double(bitPattern: word)).utf8)
    case .none, .string, .array, .list, .bytes: return []
    }
  }

  /// Whole numbers without a point, as in JSON.
  private static func text(_ number: Double) -> String {
    if let whole = Int64(exactly: number), whole.magnitude < 1 << 53 { return "\(whole)" }
    return "\(number)"
  }
}
