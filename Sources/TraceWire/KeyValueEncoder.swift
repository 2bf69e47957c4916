/// The value of an attribute that configuration or a translation makes.
public enum AttributeValue: Hashable, Sendable {
  case string(String)
  case bool(Bool)
  case int(Int64)
  case double(Double)
}

/// Encodes attributes as `KeyValue` messages.
public enum KeyValueEncoder {
  /// The message of one attribute, without tag and length.
  public static func encode(key: String, value: AttributeValue) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.string(1, key)
    writer.message(2) { writer in
      switch value {
      case .string(let text): writer.string(1, text)
      case .bool(let flag): writer.bool(2, flag)
      case .int(let number): writer.int(3, number)
      case .double(let number): writer.double(4, number)
      }
    }
    return writer.bytes
  }
}
