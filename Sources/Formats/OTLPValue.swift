internal import TraceWire

/// An attribute's value (`AnyValue`) as it lies in a request. Of several the last counts.
struct OTLPValue {
  enum Kind { case none, text, bool, int, double, array, list, bytes }

  var kind = Kind.none
  /// The bits of a number or truth value.
  var word: UInt64 = 0
  /// Where text, bytes or the message of an array or list lie.
  var range = ByteRange()

  /// Reads an `AnyValue` message that lies inside `depth - 1` others.
  init(_ message: ByteRange, of bytes: RawSpan, depth: Int) throws(WireFault) {
    self.init()
    var fields = ProtobufCursor(bytes, in: message)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: self = OTLPValue(.text, range: try fields.delimited())
      case 0x10: self = OTLPValue(.bool, word: try fields.varint())
      case 0x18: self = OTLPValue(.int, word: try fields.varint())
      case 0x21: self = OTLPValue(.double, word: try fields.fixed64())
      case 0x2a: self = OTLPValue(.array, range: try fields.delimited())
      case 0x32: self = OTLPValue(.list, range: try fields.delimited())
      case 0x3a: self = OTLPValue(.bytes, range: try fields.delimited())
      default: try fields.skip(tag, depth: depth)
      }
    }
  }

  init(_ kind: Kind = .none, word: UInt64 = 0, range: ByteRange = ByteRange()) {
    self.kind = kind
    self.word = word
    self.range = range
  }

  var int: Int64 { Int64(bitPattern: word) }
  var double: Double { Double(bitPattern: word) }

  /// Whether it says that something is not so: `false`, or the text of it.
  func isFalse(in bytes: RawSpan) -> Bool {
    switch kind {
    case .bool: word == 0
    case .text: range.matches("false", in: bytes)
    default: false
    }
  }
}

/// One attribute (`KeyValue`) as it lies in a request.
struct OTLPAttribute {
  var key = ByteRange()
  var value = OTLPValue()
}

/// The attributes of one message, one after the other.
struct OTLPAttributes: ~Escapable {
  /// Which message's attributes are meant: the tag of the field they are in.
  enum Owner: UInt64 {
    case resource = 0x0a
    case scopeOrEvent = 0x1a
    case link = 0x22
    case span = 0x4a
    /// The values of a `KeyValueList`.
    static var list: Owner { .resource }
  }

  private var fields: ProtobufCursor
  private let owner: Owner
  private let depth: Int

  /// Makes an iterator over the message in a range, which lies inside `depth - 1` others.
  @_lifetime(copy bytes)
  init(_ message: ByteRange, of bytes: RawSpan, _ owner: Owner, depth: Int) {
    fields = ProtobufCursor(bytes, in: message)
    self.owner = owner
    self.depth = depth
  }

  /// The next attribute; `nil` after the last.
  @_lifetime(self: copy self)
  mutating func next() throws(WireFault) -> OTLPAttribute? {
    while fields.hasMore {
      let tag = try fields.tag()
      guard tag == owner.rawValue else {
        try fields.skip(tag, depth: depth)
        continue
      }
      var attribute = OTLPAttribute()
      var pair = ProtobufCursor(fields.bytes, in: try fields.delimited())
      while pair.hasMore {
        let tag = try pair.tag()
        switch tag {
        case 0x0a: attribute.key = try pair.delimited()
        case 0x12: attribute.value = try OTLPValue(try pair.delimited(), of: pair.bytes, depth: depth &+ 2)
        default: try pair.skip(tag, depth: depth &+ 1)
        }
      }
      return attribute
    }
    return nil
  }
}

extension ByteRange {
  /// Whether the bytes are this text.
  func matches(_ text: StaticString, in bytes: RawSpan) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count {
      // SAFETY: the index is below the static string's count.
      guard bytes.byte(at: Int(lower) &+ index) == text.utf8Start[index] else { return false }
    }
    return true
  }
}

extension [UInt8] {
  /// Appends a value as JSON has it: integers as numbers, what JSON has no number for and bytes (base64) as strings.
  /// `depth` counts the messages around the value, its own included; throws `tooDeep` past `ProtobufCursor.depthMax`.
  mutating func append(json value: OTLPValue, of bytes: RawSpan, depth: Int) throws(WireFault) {
    switch value.kind {
    case .none: append("null")
    case .text: append(jsonString: value.range, of: bytes)
    case .array:
      // The array itself and the values in it.
      guard depth &+ 2 <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(value.range.lower)) }
      var opening = UInt8(ascii: "[")
      var fields = ProtobufCursor(bytes, in: value.range)
      while fields.hasMore {
        let tag = try fields.tag()
        guard tag == 0x0a else {
          try fields.skip(tag, depth: depth &+ 1)
          continue
        }
        append(opening)
        opening = UInt8(ascii: ",")
        let element = try OTLPValue(try fields.delimited(), of: bytes, depth: depth &+ 2)
        try append(json: element, of: bytes, depth: depth &+ 2)
      }
      if opening == UInt8(ascii: "[") { append(opening) }
      append(UInt8(ascii: "]"))
    case .list:
      guard depth &+ 3 <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(value.range.lower)) }
      var attributes = OTLPAttributes(value.range, of: bytes, .list, depth: depth &+ 1)
      var opening = UInt8(ascii: "{")
      while let attribute = try attributes.next() {
        append(opening)
        opening = UInt8(ascii: ",")
        append(jsonString: attribute.key, of: bytes)
        append(UInt8(ascii: ":"))
        try append(json: attribute.value, of: bytes, depth: depth &+ 3)
      }
      if opening == UInt8(ascii: "{") { append(opening) }
      append(UInt8(ascii: "}"))
    case .bytes:
      append(UInt8(ascii: "\""))
      append(base64: value.range, of: bytes)
      append(UInt8(ascii: "\""))
    case .bool: append(value.word != 0 ? "true" : "false")
    case .int: append(decimal: value.int)
    case .double: append(jsonNumber: value.double)
    }
  }

  /// Appends a value as a JSON string of what it says: text as it is, arrays and lists as JSON.
  /// - Parameter scratch: Room for what has to be written before it can be quoted.
  mutating func append(
    quoted value: OTLPValue, of bytes: RawSpan, depth: Int, scratch: inout [UInt8]
  ) throws(WireFault) {
    switch value.kind {
    case .none: append("\"\"")
    case .text, .bytes: try append(json: value, of: bytes, depth: depth)
    case .double where !value.double.isFinite: append(jsonNumber: value.double)
    case .array, .list:
      scratch.removeAll(keepingCapacity: true)
      try scratch.append(json: value, of: bytes, depth: depth)
      append(jsonString: scratch)
    case .bool, .int, .double:
      append(UInt8(ascii: "\""))
      try append(json: value, of: bytes, depth: depth)
      append(UInt8(ascii: "\""))
    }
  }
}
