/// The messages of an OTLP trace request as JSON names them.
enum OTLPJSONShape: Int, CaseIterable {
  case request, resourceSpans, resource, entityRef, scopeSpans, scope, span, status, event, link
  case keyValue, anyValue, arrayValue, keyValueList

  private typealias Field = OTLPJSONField

  /// Fields of the messages, by raw value.
  private static let tables: [[OTLPJSONField]] = allCases.map(\.table)

  /// The field of a name; `nil` for an unknown one.
  func field(_ name: OTLPJSONName) -> OTLPJSONField? {
    for field in Self.tables[rawValue] where field.name == name { return field }
    return nil
  }

  /// The message's fields, in the order of their numbers.
  var fields: [OTLPJSONField] { Self.tables[rawValue] }

  /// The highest number of a field.
  static let numberMax: UInt64 = 16

  private var table: [OTLPJSONField] {
    switch self {
    case .request: [Field("resourceSpans", 1, .messages(.resourceSpans))]
    case .resourceSpans:
      [
        Field("resource", 1, .message(.resource)), Field("scopeSpans", 2, .messages(.scopeSpans)),
        Field("schemaUrl", 3, .string),
      ]
    case .resource:
      [
        Field("attributes", 1, .messages(.keyValue)), Field("droppedAttributesCount", 2, .uint32),
        Field("entityRefs", 3, .messages(.entityRef)),
      ]
    case .entityRef:
      [
        Field("schemaUrl", 1, .string), Field("type", 2, .string), Field("idKeys", 3, .strings),
        Field("descriptionKeys", 4, .strings),
      ]
    case .scopeSpans:
      [
        Field("scope", 1, .message(.scope)), Field("spans", 2, .messages(.span)), Field("schemaUrl", 3, .string),
      ]
    case .scope:
      [
        Field("name", 1, .string), Field("version", 2, .string), Field("attributes", 3, .messages(.keyValue)),
        Field("droppedAttributesCount", 4, .uint32),
      ]
    case .span: Self.spanFields
    case .status: [Field("message", 2, .string), Field("code", 3, .statusCode)]
    case .event:
      [
        Field("timeUnixNano", 1, .fixed64), Field("name", 2, .string), Field("attributes", 3, .messages(.keyValue)),
        Field("droppedAttributesCount", 4, .uint32),
      ]
    case .link:
      [
        Field("traceId", 1, .identifier), Field("spanId", 2, .identifier), Field("traceState", 3, .string),
        Field("attributes", 4, .messages(.keyValue)), Field("droppedAttributesCount", 5, .uint32),
        Field("flags", 6, .fixed32),
      ]
    case .keyValue:
      [Field("key", 1, .string), Field("value", 2, .message(.anyValue)), Field("keyStrindex", 3, .int32)]
    case .anyValue:
      [
        Field("stringValue", 1, .string), Field("boolValue", 2, .bool), Field("intValue", 3, .int64),
        Field("doubleValue", 4, .double), Field("arrayValue", 5, .message(.arrayValue)),
        Field("kvlistValue", 6, .message(.keyValueList)), Field("bytesValue", 7, .bytes),
        Field("stringValueStrindex", 8, .int32),
      ]
    case .arrayValue: [Field("values", 1, .messages(.anyValue))]
    case .keyValueList: [Field("values", 1, .messages(.keyValue))]
    }
  }

  private static let spanFields = [
    Field("traceId", 1, .identifier), Field("spanId", 2, .identifier), Field("traceState", 3, .string),
    Field("parentSpanId", 4, .identifier), Field("name", 5, .string), Field("kind", 6, .spanKind),
    Field("startTimeUnixNano", 7, .fixed64), Field("endTimeUnixNano", 8, .fixed64),
    Field("attributes", 9, .messages(.keyValue)), Field("droppedAttributesCount", 10, .uint32),
    Field("events", 11, .messages(.event)), Field("droppedEventsCount", 12, .uint32),
    Field("links", 13, .messages(.link)), Field("droppedLinksCount", 14, .uint32),
    Field("status", 15, .message(.status)), Field("flags", 16, .fixed32),
  ]

  /// Whether the message's fields are a `oneof`, whose default values are written, too.
  var isOneof: Bool { self == .anyValue }
}

/// One field of a message: its name in JSON, its number in protobuf, and how its value is written in either.
struct OTLPJSONField {
  /// How a value is written.
  enum Kind {
    case string, strings, identifier, bytes, bool, int32, int64, uint32, fixed32, fixed64, double, spanKind, statusCode
    case message(OTLPJSONShape)
    case messages(OTLPJSONShape)
  }

  let name: OTLPJSONName
  /// The name as it is written.
  let text: StaticString
  let number: Int
  let kind: Kind

  init(_ name: StaticString, _ number: Int, _ kind: Kind) {
    self.name = OTLPJSONName(name)
    text = name
    self.number = number
    self.kind = kind
  }
}

extension OTLPJSONField.Kind {
  /// The numbers of an enum's names; `nil` for a name it does not have.
  func enumNumber(_ name: OTLPJSONName) -> Int64? {
    switch self {
    case .spanKind: Self.spanKinds.firstIndex(of: name).map(Int64.init)
    case .statusCode: Self.statusCodes.firstIndex(of: name).map(Int64.init)
    default: nil
    }
  }

  private static let spanKinds = [
    OTLPJSONName("SPAN_KIND_UNSPECIFIED"), OTLPJSONName("SPAN_KIND_INTERNAL"), OTLPJSONName("SPAN_KIND_SERVER"),
    OTLPJSONName("SPAN_KIND_CLIENT"), OTLPJSONName("SPAN_KIND_PRODUCER"), OTLPJSONName("SPAN_KIND_CONSUMER"),
  ]
  private static let statusCodes = [
    OTLPJSONName("STATUS_CODE_UNSET"), OTLPJSONName("STATUS_CODE_OK"), OTLPJSONName("STATUS_CODE_ERROR"),
  ]
}

/// A name of up to 24 bytes in three words, so that comparing costs nothing and nothing is allocated. snake_case is
/// made lowerCamelCase; OTLP has no longer name.
struct OTLPJSONName: Equatable {
  private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
  private var count = 0

  init(_ name: StaticString) {
    var isLong = false
    name.withUTF8Buffer { bytes in
      var isAfterUnderscore = false
      for byte in bytes { isLong = !append(byte, &isAfterUnderscore) || isLong }
    }
    precondition(!isLong, "names of the schema have at most 24 bytes")
  }

  /// The name in a range of the bytes; `nil` where it is too long to be known.
  init?(_ range: Range<Int>, of bytes: RawSpan) {
    guard range.count <= 48 else { return nil }
    var isAfterUnderscore = false
    for offset in range {
      guard append(bytes.byte(at: offset), &isAfterUnderscore) else { return nil }
    }
    if isAfterUnderscore, !append(byte: UInt8(ascii: "_")) { return nil }
  }

  static func == (left: OTLPJSONName, right: OTLPJSONName) -> Bool {
    left.words == right.words && left.count == right.count
  }

  /// Appends a byte, or holds an underscore back: it makes the lowercase letter after it a capital.
  private mutating func append(_ byte: UInt8, _ isAfterUnderscore: inout Bool) -> Bool {
    if isAfterUnderscore {
      isAfterUnderscore = false
      if (0x61...0x7a).contains(byte) { return append(byte: byte & 0xdf) }
      guard append(byte: UInt8(ascii: "_")) else { return false }
    }
    if byte == UInt8(ascii: "_") {
      isAfterUnderscore = true
      return true
    }
    return append(byte: byte)
  }

  private mutating func append(byte: UInt8) -> Bool {
    let shifted = UInt64(byte) << UInt64(truncatingIfNeeded: 8 &* (count & 7))
    switch count {
    case 0..<8: words.0 |= shifted
    case 8..<16: words.1 |= shifted
    case 16..<24: words.2 |= shifted
    default: return false
    }
    count &+= 1
    return true
  }
}
