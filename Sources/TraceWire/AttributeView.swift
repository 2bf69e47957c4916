/// One attribute (a `KeyValue` message) as a view: where its key is and what its value is.
///
/// Read as protobuf does: of a field that is there several times the last counts, in whatever order they come.
struct AttributeView {
  /// The kinds of `AnyValue` a fact can be made of.
  enum Kind: UInt8 { case none, string, bool, int, other }

  var key = ByteRange()
  var kind = Kind.none
  /// The value where it is a string.
  var text = ByteRange()
  /// The value's bits where it is a number or a truth value.
  var word: UInt64 = 0

  /// Reads a `KeyValue` message that lies inside `depth - 1` others, and checks all that lies inside it.
  @inline(__always)
  static func read(_ range: ByteRange, of bytes: RawSpan, depth: Int) throws(WireFault) -> AttributeView {
    if let view = usual(range, of: bytes) { return view }
    return try readSlowly(range, of: bytes, depth: depth)
  }

  /// Reads what nearly every encoder writes for nearly every attribute: key, then value, then nothing, all shorter
  /// than 128 bytes; the value a string or a number of one or two bytes. `nil` for anything else, right or wrong.
  /// Lengths must meet the end exactly, so no load is past it.
  @inline(__always)
  private static func usual(_ range: ByteRange, of bytes: RawSpan) -> AttributeView? {
    let lower = Int(range.lower)
    let upper = Int(range.upper)
    guard upper &- lower >= 6 else { return nil }
    let keyHead = bytes.littleEndian16(at: lower)
    let keyEnd = lower &+ 2 &+ Int(keyHead >> 8)
    guard keyHead & 0x80ff == 0x0a, upper &- keyEnd >= 4 else { return nil }
    let valueHead = bytes.littleEndian16(at: keyEnd)
    let valueCount = Int(valueHead >> 8)
    guard valueHead & 0x80ff == 0x12, keyEnd &+ 2 &+ valueCount == upper else { return nil }
    var view = AttributeView()
    view.key = ByteRange(lower &+ 2, keyEnd)
    let head = bytes.littleEndian16(at: keyEnd &+ 2)
    if head & 0x80ff == 0x0a, Int(head >> 8) &+ 2 == valueCount {
      view.kind = .string
      view.text = ByteRange(keyEnd &+ 4, upper)
      return view
    }
    guard head & 0xff == 0x10 || head & 0xff == 0x18 else { return nil }
    view.kind = head & 0xff == 0x10 ? .bool : .int
    if valueCount == 2, head & 0x8000 == 0 {
      view.word = UInt64(head >> 8)
      return view
    }
    guard valueCount == 3, head & 0x8000 != 0 else { return nil }
    let last = bytes.byte(at: upper &- 1)
    view.word = UInt64(head >> 8 & 0x7f) | UInt64(last) &<< 7
    return last < 0x80 ? view : nil
  }

  @inline(never)
  private static func readSlowly(
    _ range: ByteRange, of bytes: RawSpan, depth: Int
  ) throws(WireFault) -> AttributeView {
    var view = AttributeView()
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: view.key = try fields.delimited()
      case 0x12: try view.readValue(try fields.delimited(), of: bytes, depth: depth &+ 1)
      default: try fields.skip(tag, depth: depth)
      }
    }
    return view
  }

  @inline(__always)
  private mutating func readValue(_ range: ByteRange, of bytes: RawSpan, depth: Int) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a:
        text = try fields.delimited()
        kind = .string
      case 0x10:
        word = try fields.varint()
        kind = .bool
      case 0x18:
        word = try fields.varint()
        kind = .int
      default:
        if try Self.skipValueField(tag, &fields, depth: depth) { kind = .other }
      }
    }
  }

  /// Steps over a field of an `AnyValue` that is neither string, truth value nor integer, and checks arrays and
  /// lists inside; says whether it is a value at all.
  @inline(never)
  private static func skipValueField(
    _ tag: UInt64, _ fields: inout ProtobufCursor, depth: Int
  ) throws(WireFault) -> Bool {
    switch tag {
    case 0x21: _ = try fields.fixed64()
    case 0x2a: try checkArray(try fields.delimited(), of: fields.bytes, depth: depth &+ 1)
    case 0x32: try checkAttributes(try fields.delimited(), of: fields.bytes, tag: 0x0a, depth: depth &+ 1)
    case 0x3a: _ = try fields.delimited()
    case 0x40: _ = try fields.varint()
    default:
      try fields.skip(tag, depth: depth)
      return false
    }
    return true
  }

  /// Checks an `ArrayValue`; recursion through arrays and lists ends at `ProtobufCursor.depthMax`.
  private static func checkArray(_ range: ByteRange, of bytes: RawSpan, depth: Int) throws(WireFault) {
    // The array itself and, where there is one, the value in it.
    guard depth <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(range.lower)) }
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      guard tag == 0x0a else {
        try fields.skip(tag, depth: depth)
        continue
      }
      let value = try fields.delimited()
      guard depth < ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(value.lower)) }
      var ignored = AttributeView()
      try ignored.readValue(value, of: bytes, depth: depth &+ 1)
    }
  }

  /// Checks a message of which one field (`tag`) holds attributes and everything else has no structure.
  @inline(never)
  static func checkAttributes(
    _ range: ByteRange, of bytes: RawSpan, tag attributes: UInt64, depth: Int
  ) throws(WireFault) {
    guard depth <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(range.lower)) }
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      guard tag == attributes else {
        try fields.skip(tag, depth: depth)
        continue
      }
      let attribute = try fields.delimited()
      guard depth < ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: Int(attribute.lower)) }
      _ = try read(attribute, of: bytes, depth: depth &+ 1)
    }
  }

  /// Whether `error` has this value: true or `"true"`.
  @inline(__always)
  func isTrue(in bytes: RawSpan) -> Bool {
    switch kind {
    case .bool: word != 0
    case .string: text.count == 4 && bytes.littleEndian32(at: Int(text.lower)) == 0x6575_7274
    default: false
    }
  }

  /// Whether this is an HTTP status of 500 or more, as a number or in digits.
  @inline(__always)
  func isServerFailure(in bytes: RawSpan) -> Bool {
    switch kind {
    case .int: Int64(bitPattern: word) >= 500
    case .string: isServerFailureText(in: bytes)
    default: false
    }
  }

  private func isServerFailureText(in bytes: RawSpan) -> Bool {
    guard (1...18).contains(text.count) else { return false }
    var status = 0
    for offset in text.indices {
      let digit = bytes.byte(at: offset) &- 0x30
      guard digit < 10 else { return false }
      status = status &* 10 &+ Int(digit)
    }
    return status >= 500
  }
}
