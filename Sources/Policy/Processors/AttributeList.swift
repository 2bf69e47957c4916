internal import TraceWire

/// The attributes of one message while processors change them: views of those that came, and those that were made.
/// Its arrays are reused from message to message.
struct AttributeList: Sendable {
  struct Entry: Sendable {
    /// The field it came in, tag and length included; empty where it was added.
    var record: ByteRange
    /// The `KeyValue` message, its key, and its text where it is one: in the request's bytes, or in `made`.
    var body: ByteRange
    var key: ByteRange
    var text: ByteRange?
    var isMade = false
    var isRemoved = false

    /// The same in a copy that begins at an offset.
    func moved(by offset: UInt32) -> Entry {
      func moved(_ range: ByteRange) -> ByteRange {
        ByteRange(Int(range.lower &- offset), Int(range.upper &- offset))
      }
      var copy = self
      copy.body = moved(body)
      copy.key = moved(key)
      copy.text = text.map(moved)
      return copy
    }

    /// Whether it is what nearly every attribute is: a key, then a text, and nothing else that could hide another one.
    /// The shortest encoding leaves no room for that.
    var isPlain: Bool {
      guard let text else { return false }
      let valueCount = 1 &+ UInt64(text.count).lengthSize &+ text.count
      return Int(key.lower &- body.lower) == 1 &+ UInt64(key.count).lengthSize && text.upper == body.upper
        && Int(text.lower &- key.upper) == 2 &+ UInt64(valueCount).lengthSize &+ UInt64(text.count).lengthSize
    }
  }

  private(set) var entries: [Entry] = []
  /// `KeyValue` messages that were made, one after the other.
  private(set) var made: [UInt8] = []
  /// Whether anything is different from what came.
  private(set) var isChanged = false

  private static let entriesKept = 1 << 10
  private static let bytesKept = 1 << 16

  mutating func reset() {
    entries.empty(capacityMax: Self.entriesKept)
    made.empty(capacityMax: Self.bytesKept)
    isChanged = false
  }

  /// Takes in all attributes of a message.
  mutating func load(
    _ message: ByteRange, of bytes: RawSpan, owner: SpanAttributes.Owner
  ) throws(WireFault) {
    reset()
    var attributes = SpanAttributes(message, of: bytes, owner: owner)
    while let attribute = try attributes.next() {
      entries.append(
        Entry(record: attribute.record, body: attribute.body, key: attribute.key, text: attribute.string))
    }
  }

  /// Takes in one attribute of a span.
  mutating func append(_ body: ByteRange, record: ByteRange, of bytes: RawSpan) throws(WireFault) {
    // The iterator reads the field itself: tag, length and message.
    var attribute = SpanAttributes(record, of: bytes, owner: .span)
    guard let found = try attribute.next() else { return }
    entries.append(Entry(record: record, body: body, key: found.key, text: found.string))
  }

  // MARK: Looking

  @inline(__always)
  func hasKey(_ index: Int, _ key: [UInt8], in bytes: RawSpan) -> Bool {
    let entry = entries[index]
    guard !entry.isRemoved, entry.key.count == key.count else { return false }
    return entry.isMade ? made.span.bytes.equals(entry.key, key) : bytes.equals(entry.key, key)
  }

  /// The first attribute with a key.
  func index(of key: [UInt8], in bytes: RawSpan) -> Int? {
    var index = 0
    while index < entries.count {
      if hasKey(index, key, in: bytes) { return index }
      index &+= 1
    }
    return nil
  }

  /// The value of an attribute, in the request's bytes or in `made`.
  func value(_ index: Int, in bytes: RawSpan) throws(WireFault) -> AnyValueView {
    let entry = entries[index]
    return entry.isMade
      ? try AnyValueView(of: entry.body, in: made.span.bytes) : try AnyValueView(of: entry.body, in: bytes)
  }

  /// Appends the value of an attribute as text.
  func appendText(_ index: Int, in bytes: RawSpan, to output: inout [UInt8]) throws(WireFault) {
    let value = try value(index, in: bytes)
    if entries[index].isMade {
      value.appendText(in: made.span.bytes, to: &output)
    } else {
      value.appendText(in: bytes, to: &output)
    }
  }

  /// A copy of an attribute's key.
  func key(_ index: Int, in bytes: RawSpan) -> [UInt8] {
    let entry = entries[index]
    return entry.isMade ? made.span.bytes.array(entry.key) : bytes.array(entry.key)
  }

  // MARK: Changing

  mutating func remove(_ index: Int) {
    entries[index].isRemoved = true
    isChanged = true
  }

  mutating func remove(_ key: [UInt8], in bytes: RawSpan) {
    for index in entries.indices where hasKey(index, key, in: bytes) { remove(index) }
  }

  /// Removes all attributes with a key and adds one with this encoded `AnyValue` at the end.
  mutating func set(_ key: [UInt8], _ value: [UInt8], in bytes: RawSpan) {
    remove(key, in: bytes)
    entries.append(make(key, value))
    isChanged = true
  }

  /// Gives an attribute another encoded `AnyValue`; it stays at its place.
  mutating func replace(_ index: Int, _ value: [UInt8], in bytes: RawSpan) {
    var entry = make(key(index, in: bytes), value)
    entry.record = entries[index].record
    entries[index] = entry
    isChanged = true
  }

  private mutating func make(_ key: [UInt8], _ value: [UInt8]) -> Entry {
    let start = made.count
    made.append(0x0a)
    made.appendVarint(UInt64(truncatingIfNeeded: key.count))
    let keyStart = made.count
    made += key
    made.append(0x12)
    made.appendVarint(UInt64(truncatingIfNeeded: value.count))
    made += value
    let body = ByteRange(start, made.count)
    var entry = Entry(record: ByteRange(), body: body, key: ByteRange(keyStart, keyStart + key.count), isMade: true)
    if let view = try? AnyValueView(of: body, in: made.span.bytes), view.kind == .string { entry.text = view.content }
    return entry
  }

  /// Says what is to be exchanged in the message it was loaded from. `tag` is that of its attributes' fields.
  func emit(tag: UInt8, to splice: inout MessageSplice) {
    for entry in entries where entry.isMade || entry.isRemoved {
      let isNew = entry.record.isEmpty
      guard !entry.isRemoved else {
        if !isNew { splice.remove(entry.record) }
        continue
      }
      let start = splice.made.count
      made.span.bytes.append(entry.body, to: &splice.made)
      let body = ByteRange(start, splice.made.count)
      if isNew { splice.add(tag: tag, body: body) } else { splice.replace(entry.record, tag: tag, body: body) }
    }
  }
}

extension UInt64 {
  /// Bytes of the number as a varint.
  fileprivate var lengthSize: Int { (70 - (self | 1).leadingZeroBitCount) / 7 }
}

/// Encoded `AnyValue` messages.
enum AnyValueEncoder {
  static func string(_ text: some Collection<UInt8>) -> [UInt8] {
    var value: [UInt8] = [0x0a]
    value.appendVarint(UInt64(truncatingIfNeeded: text.count))
    value += text
    return value
  }

  static func int(_ number: Int64) -> [UInt8] {
    var value: [UInt8] = [0x18]
    value.appendVarint(UInt64(bitPattern: number))
    return value
  }

  static func encode(_ value: AttributeValue) -> [UInt8] {
    switch value {
    case .string(let text): return string(Array(text.utf8))
    case .int(let number): return int(number)
    case .bool(let flag): return [0x10, flag ? 1 : 0]
    case .double(let number):
      let bits = number.bitPattern
      return [0x21] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64($0 * 8)) }
    }
  }
}
