/// One translation of OTLP protobuf to JSON: walks each message twice, once for what counts of each field, once for
/// the messages inside it.
struct OTLPJSONWriter {
  /// What has been written.
  private(set) var output: [UInt8] = []
  /// Where the messages that are being written lie, outermost first: in one piece, or in several that make one message.
  private var pieces: [ByteRange] = []

  init(roomFor count: Int) { output.reserveCapacity(2 &* count) }

  /// What was found of a field: the last value, and whether there was one before.
  fileprivate struct Found {
    var isThere = false
    var isRepeated = false
    var word: UInt64 = 0
    var range = ByteRange()
  }

  /// What was found of a message: fields by their numbers, and where the case of a `oneof` that counts begins.
  fileprivate struct Contents {
    var fields = InlineArray<17, Found>(repeating: Found())
    var start = 0
    var chosen = 0
  }

  /// Writes the message in a range. `depth` counts the messages around, its own included.
  mutating func write(
    _ shape: OTLPJSONShape, in range: ByteRange, depth: Int, of bytes: RawSpan
  ) throws(WireFault) {
    let first = pieces.count
    pieces.append(range)
    try write(shape, piecesFrom: first, depth: depth, of: bytes)
    pieces.removeSubrange(first...)
  }

  private mutating func write(
    _ shape: OTLPJSONShape, piecesFrom first: Int, depth: Int, of bytes: RawSpan
  ) throws(WireFault) {
    guard depth <= ProtobufCursor.depthMax else {
      throw WireFault(.tooDeep, at: first < pieces.count ? Int(pieces[first].lower) : 0)
    }
    let mine = first..<pieces.count
    let contents = try gather(shape, mine, depth: depth, of: bytes)
    var opening = UInt8(ascii: "{")
    for field in shape.fields {
      let found = contents.fields[field.number]
      guard found.isThere, shape.isOneof || found.isWorthWriting(as: field.kind) else { continue }
      output.append(opening)
      opening = UInt8(ascii: ",")
      output.append(UInt8(ascii: "\""))
      output.append(field.text)
      output.append("\":")
      switch field.kind {
      case .message(let inner):
        let first = pieces.count
        if found.isRepeated {
          try collect(field.number, from: mine, after: contents.start, depth: depth, of: bytes)
        } else {
          pieces.append(found.range)
        }
        try write(inner, piecesFrom: first, depth: depth &+ 1, of: bytes)
        pieces.removeSubrange(first...)
      case .messages, .strings: try writeList(of: field, mine, depth: depth, of: bytes)
      default: output.append(found.word, found.range, as: field.kind, of: bytes)
      }
    }
    if opening == UInt8(ascii: "{") { output.append(opening) }
    output.append(UInt8(ascii: "}"))
  }

  private func gather(
    _ shape: OTLPJSONShape, _ mine: Range<Int>, depth: Int, of bytes: RawSpan
  ) throws(WireFault) -> Contents {
    let table = shape.fields
    var contents = Contents()
    for piece in mine {
      var fields = ProtobufCursor(bytes, in: pieces[piece])
      while fields.hasMore {
        let start = fields.position
        let tag = try fields.tag()
        guard let field = table.field(tag) else {
          try fields.skip(tag, depth: depth)
          continue
        }
        if shape.isOneof, contents.chosen != field.number {
          contents.fields[contents.chosen] = Found()
          contents.chosen = field.number
          contents.start = start
        }
        var found = contents.fields[field.number]
        found.isRepeated = found.isThere
        found.isThere = true
        switch tag & 7 {
        case 0: found.word = try fields.varint()
        case 1: found.word = try fields.fixed64()
        case 5: found.word = UInt64(try fields.fixed32())
        default: found.range = try fields.delimited()
        }
        contents.fields[field.number] = found
      }
    }
    return contents
  }

  /// Adds the pieces of one message's field to those that are written next; empty ones say nothing.
  private mutating func collect(
    _ number: Int, from mine: Range<Int>, after start: Int, depth: Int, of bytes: RawSpan
  ) throws(WireFault) {
    let wanted = UInt64(truncatingIfNeeded: number) << 3 | 2
    for piece in mine {
      var fields = ProtobufCursor(bytes, in: pieces[piece])
      while fields.hasMore {
        let position = fields.position
        let tag = try fields.tag()
        guard tag == wanted else {
          try fields.skip(tag, depth: depth)
          continue
        }
        let range = try fields.delimited()
        if position >= start, !range.isEmpty { pieces.append(range) }
      }
    }
  }

  private mutating func writeList(
    of field: OTLPJSONField, _ mine: Range<Int>, depth: Int, of bytes: RawSpan
  ) throws(WireFault) {
    let wanted = UInt64(truncatingIfNeeded: field.number) << 3 | 2
    var opening = UInt8(ascii: "[")
    for piece in mine {
      var fields = ProtobufCursor(bytes, in: pieces[piece])
      while fields.hasMore {
        let tag = try fields.tag()
        guard tag == wanted else {
          try fields.skip(tag, depth: depth)
          continue
        }
        let range = try fields.delimited()
        output.append(opening)
        opening = UInt8(ascii: ",")
        if case .messages(let inner) = field.kind {
          try write(inner, in: range, depth: depth &+ 1, of: bytes)
        } else {
          output.append(jsonString: range, of: bytes)
        }
      }
    }
    output.append(UInt8(ascii: "]"))
  }
}

extension OTLPJSONWriter.Found {
  /// Whether the value is not the default one, which is left out; messages and lists say something by being there.
  fileprivate func isWorthWriting(as kind: OTLPJSONField.Kind) -> Bool {
    switch kind {
    case .string, .identifier, .bytes: !range.isEmpty
    case .message, .messages, .strings: true
    case .int32, .uint32, .spanKind, .statusCode: UInt32(truncatingIfNeeded: word) != 0
    case .bool, .int64, .fixed32, .fixed64, .double: word != 0
    }
  }
}

extension [OTLPJSONField] {
  /// The field that a tag is of; `nil` where number or wire type are another.
  fileprivate func field(_ tag: UInt64) -> OTLPJSONField? {
    let number = tag >> 3
    guard number > 0, number <= OTLPJSONShape.numberMax else { return nil }
    // Most messages number their fields without gaps.
    let place = Int(truncatingIfNeeded: number) &- 1
    if place < count, self[place].number == place &+ 1 {
      return self[place].kind.wireType == tag & 7 ? self[place] : nil
    }
    return first { $0.number == place &+ 1 && $0.kind.wireType == tag & 7 }
  }
}

extension OTLPJSONField.Kind {
  fileprivate var wireType: UInt64 {
    switch self {
    case .bool, .int32, .int64, .uint32, .spanKind, .statusCode: 0
    case .fixed64, .double: 1
    case .string, .strings, .identifier, .bytes, .message, .messages: 2
    case .fixed32: 5
    }
  }
}

extension [UInt8] {
  /// Appends a scalar's value.
  fileprivate mutating func append(
    _ word: UInt64, _ range: ByteRange, as kind: OTLPJSONField.Kind, of bytes: RawSpan
  ) {
    switch kind {
    case .string: append(jsonString: range, of: bytes)
    case .identifier:
      append(UInt8(ascii: "\""))
      append(hex: range, of: bytes)
      append(UInt8(ascii: "\""))
    case .bytes:
      append(UInt8(ascii: "\""))
      append(base64: range, of: bytes)
      append(UInt8(ascii: "\""))
    case .bool: append(word != 0 ? "true" : "false")
    case .int32, .spanKind, .statusCode: append(decimal: Int64(Int32(truncatingIfNeeded: word)))
    case .uint32, .fixed32: append(decimal: UInt64(UInt32(truncatingIfNeeded: word)))
    case .int64:
      append(UInt8(ascii: "\""))
      append(decimal: Int64(bitPattern: word))
      append(UInt8(ascii: "\""))
    case .fixed64:
      append(UInt8(ascii: "\""))
      append(decimal: word)
      append(UInt8(ascii: "\""))
    case .double: append(jsonNumber: Double(bitPattern: word))
    case .message, .messages, .strings: break
    }
  }
}
