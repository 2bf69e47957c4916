import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension OTLPGenerator {
  /// A request that is valid protobuf but like nobody's encoder: fields in any order and several times, unknown
  /// fields and groups in every message, known fields with other wire types, varints longer than they need to be.
  public mutating func weirdBytes(spans: Int) -> [UInt8] { weird(requestBytes(spans: spans), .request) }

  /// The messages of a request and which of their fields are messages.
  indirect enum Shape {
    case request, resourceSpans, resource, scopeSpans, scope, span, event, link, status, attribute, value, array, list
    case leaf

    func inner(_ field: UInt64) -> Shape {
      switch (self, field) {
      case (.request, 1): .resourceSpans
      case (.resourceSpans, 1): .resource
      case (.resourceSpans, 2): .scopeSpans
      case (.scopeSpans, 1): .scope
      case (.scopeSpans, 2): .span
      case (.span, 9), (.event, 3), (.link, 4), (.resource, 1), (.scope, 3), (.list, 1): .attribute
      case (.span, 11): .event
      case (.span, 13): .link
      case (.span, 15): .status
      case (.attribute, 2), (.array, 1): .value
      case (.value, 5): .array
      case (.value, 6): .list
      default: .leaf
      }
    }
  }

  /// Rewrites a message and all in it: its fields shuffled, some of them twice, others thrown in.
  private mutating func weird(_ message: [UInt8], _ shape: Shape) -> [UInt8] {
    var fields: [[UInt8]] = []
    var cursor = ProtobufCursor(message.span.bytes, from: 0, to: message.count)
    // The message comes from an encoder: there is nothing in it that a cursor refuses.
    while cursor.hasMore, let tag = try? cursor.tag() {
      let start = cursor.position
      var field = tagBytes(tag)
      if tag & 7 == 2, let range = try? cursor.delimited() {
        let inner = shape.inner(tag >> 3)
        let content = Array(message[range.indices])
        let body = if case .leaf = inner { content } else { weird(content, inner) }
        field += varint(UInt64(body.count)) + body
      } else {
        _ = try? cursor.skip(tag, depth: 1)
        field += message[start..<cursor.position]
      }
      fields.append(field)
      if random.one(in: 25) { fields.append(field) }
    }
    if random.one(in: 3) { fields.append(unknownField()) }
    if random.one(in: 3) { fields.shuffle(using: &random) }
    return Array(fields.joined())
  }

  /// A field with a number nobody knows, or with a number everybody knows and a wire type nobody uses.
  private mutating func unknownField() -> [UInt8] {
    let number = pick([1, 2, 3, 9, 17, 200, 536_870_911])
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return tagBytes(UInt64(max(number, 17)) << 3) + varint(random.next())
    case 1: return tagBytes(UInt64(number) << 3 | 5) + [1, 2, 3, 4]
    case 2: return tagBytes(UInt64(max(number, 17)) << 3 | 2) + varint(3) + [0x0a, 0xff, 0xff]
    default: return tagBytes(UInt64(number) << 3 | 3) + group() + tagBytes(UInt64(number) << 3 | 4)
    }
  }

  private mutating func group() -> [UInt8] {
    random.one(in: 2) ? [0x08] + varint(random.next()) : [0x0b, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c]
  }

  /// A tag, seldom with more bytes than it needs: up to the five that parsers take.
  private mutating func tagBytes(_ value: UInt64) -> [UInt8] { varint(value, bytesMax: 5) }

  /// A varint, seldom with more bytes than it needs.
  private mutating func varint(_ value: UInt64, bytesMax: Int = 10) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendVarint(value)
    guard random.one(in: 20) else { return bytes }
    while bytes.count < bytesMax, !random.one(in: 3) {
      bytes[bytes.count - 1] |= 0x80
      bytes.append(0)
    }
    return bytes
  }
}
