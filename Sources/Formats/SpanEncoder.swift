internal import TraceWire

/// Writes a finished draft as OTLP. Lengths are computed before they are written: attributes do not nest.
extension SpanDraft {
  /// No fewer bytes than the `Span` message will have.
  var encodedSizeMax: Int {
    // Tags, numbers, IDs and lengths that are there once.
    var size = 160 &+ traceState.count &+ name.count &+ status.description.count &+ status.errorText.count
    for attribute in attributes { size &+= attribute.messageSize &+ 12 }
    for event in events { size &+= event.name.count &+ 48 }
    for attribute in eventAttributes { size &+= attribute.messageSize &+ 12 }
    return size &+ links.count &* 96
  }

  /// Appends the `Span` message, and gives the offset of the parent's ID in the output where there is one. There must be
  /// room for `encodedSizeMax` bytes.
  func encode(to output: inout OutputSpan<UInt8>, of request: RawSpan) -> Int? {
    output.appendID(0x0a, [traceID.high, traceID.low])
    output.appendID(0x12, [spanID.rawValue])
    output.append(traceState, tag: 0x1a, texts, of: request)
    var parentOffset: Int?
    if parentID.isValid {
      output.appendID(0x22, [parentID.rawValue])
      parentOffset = output.count &- 8
    }
    output.append(name, tag: 0x2a, texts, of: request)
    output.appendNumber(UInt64(kind.rawValue), tag: 0x30)
    output.appendTime(start, tag: 0x39)
    output.appendTime(end, tag: 0x41)
    for attribute in attributes { output.append(attribute, tag: 0x4a, texts, of: request) }
    output.appendNumber(UInt64(droppedAttributes), tag: 0x50)
    for event in events { append(event, to: &output, of: request) }
    output.appendNumber(UInt64(droppedEvents), tag: 0x60)
    for link in links { append(link, to: &output) }
    output.appendNumber(UInt64(droppedLinks), tag: 0x70)
    appendStatus(to: &output, of: request)
    if flags != 0 {
      output.append(0x85)
      output.append(0x01)
      for shift in stride(from: UInt32(0), to: 32, by: 8) { output.append(UInt8(truncatingIfNeeded: flags >> shift)) }
    }
    return parentOffset
  }

  private func append(_ event: Event, to output: inout OutputSpan<UInt8>, of request: RawSpan) {
    var count = 9 &+ event.name.fieldSize
    for index in event.attributes { count &+= eventAttributes[index].messageSize.fieldSize }
    output.append(0x5a)
    output.appendVarint(UInt64(truncatingIfNeeded: count))
    output.append(0x09)
    output.appendWord(event.time)
    output.append(event.name, tag: 0x12, texts, of: request, keepsEmpty: true)
    for index in event.attributes { output.append(eventAttributes[index], tag: 0x1a, texts, of: request) }
  }

  /// Links say which OpenTracing reference they were, as the Collector's do.
  private func append(_ link: Link, to output: inout OutputSpan<UInt8>) {
    let value: StaticString = link.isChildOf ? "child_of" : "follows_from"
    let key: StaticString = "opentracing.ref_type"
    let valueSize = 2 &+ value.utf8CodeUnitCount
    let attributeSize = 2 &+ key.utf8CodeUnitCount &+ 2 &+ valueSize
    output.append(0x6a)
    output.appendVarint(UInt64(truncatingIfNeeded: 18 &+ 10 &+ 2 &+ attributeSize))
    output.appendID(0x0a, [link.traceID.high, link.traceID.low], keepsZero: true)
    output.appendID(0x12, [link.spanID.rawValue], keepsZero: true)
    output.append(0x22)
    output.append(UInt8(truncatingIfNeeded: attributeSize))
    output.append(0x0a)
    output.append(key)
    output.append(0x12)
    output.append(UInt8(truncatingIfNeeded: valueSize))
    output.append(0x0a)
    output.append(value)
  }

  private func appendStatus(to output: inout OutputSpan<UInt8>, of request: RawSpan) {
    let (code, message) = status.outcome
    guard code != .unset else { return }
    output.append(0x7a)
    output.appendVarint(UInt64(truncatingIfNeeded: 2 &+ (message.isEmpty ? 0 : message.fieldSize)))
    output.append(message, tag: 0x12, texts, of: request)
    output.append(0x18)
    output.append(code.rawValue)
  }
}

extension Text {
  /// Bytes of a field with this text: tag, length, text.
  var fieldSize: Int { count.fieldSize }
}

extension Int {
  /// Bytes of a field with a message or text of this size: tag, length, content.
  var fieldSize: Int { 1 &+ UInt64(truncatingIfNeeded: self).varintSize &+ self }
}

extension SpanDraft.Value {
  /// Bytes of the `AnyValue` message.
  var messageSize: Int {
    switch self {
    case .text(let text), .bytes(let text): text.fieldSize
    case .bool: 2
    case .int(let number): 1 &+ UInt64(bitPattern: number).varintSize
    case .double: 9
    }
  }
}

extension SpanDraft.Attribute {
  /// Bytes of the `KeyValue` message.
  var messageSize: Int { key.fieldSize &+ value.messageSize.fieldSize }
}

extension [UInt8] {
  /// Appends attributes, each as a field of the message around them.
  mutating func append(_ attributes: [SpanDraft.Attribute], tag: UInt8, _ texts: TextBytes, of request: RawSpan) {
    var size = 0
    for attribute in attributes { size &+= attribute.messageSize.fieldSize }
    append(addingCapacity: size) { output in
      for attribute in attributes { output.append(attribute, tag: tag, texts, of: request) }
    }
  }

  /// Appends a text as a field, unless it is empty.
  mutating func append(_ text: Text, tag: UInt8, _ texts: TextBytes, of request: RawSpan) {
    append(addingCapacity: text.fieldSize) { $0.append(text, tag: tag, texts, of: request) }
  }

  /// Appends a message as a field.
  mutating func append(message: [UInt8], tag: UInt8) {
    append(tag)
    appendVarint(UInt64(truncatingIfNeeded: message.count))
    append(contentsOf: message)
  }
}

/// Fields where room was made for all of them before: growth would be looked for at every byte.
extension OutputSpan<UInt8> {
  /// Appends an attribute as a field of the message around it.
  mutating func append(_ attribute: SpanDraft.Attribute, tag: UInt8, _ texts: TextBytes, of request: RawSpan) {
    let valueSize = attribute.value.messageSize
    append(tag)
    appendVarint(UInt64(truncatingIfNeeded: attribute.key.fieldSize &+ valueSize.fieldSize))
    append(attribute.key, tag: 0x0a, texts, of: request, keepsEmpty: true)
    append(0x12)
    appendVarint(UInt64(truncatingIfNeeded: valueSize))
    switch attribute.value {
    case .text(let text): append(text, tag: 0x0a, texts, of: request, keepsEmpty: true)
    case .bool(let flag):
      append(0x10)
      append(flag ? 1 : 0)
    case .int(let number):
      append(0x18)
      appendVarint(UInt64(bitPattern: number))
    case .double(let number):
      append(0x21)
      appendWord(number.bitPattern)
    case .bytes(let bytes): append(bytes, tag: 0x3a, texts, of: request, keepsEmpty: true)
    }
  }

  /// Appends a text as a field; an empty one only where it has to be there.
  @inline(__always)
  mutating func append(
    _ text: Text, tag: UInt8, _ texts: TextBytes, of request: RawSpan, keepsEmpty: Bool = false
  ) {
    guard !text.isEmpty || keepsEmpty else { return }
    append(tag)
    appendVarint(UInt64(truncatingIfNeeded: text.count))
    if text.isMade {
      // SAFETY: the pointer does not leave the closure.
      texts.made.withUnsafeBytes { append(copying: UnsafeRawBufferPointer(rebasing: $0[text.range.indices])) }
    } else {
      // SAFETY: the pointer does not leave the closure, and `extracting` has checked the range.
      request.extracting(text.range.indices).withUnsafeBytes { append(copying: $0) }
    }
  }

  /// Appends bytes; there must be room for them.
  @inline(__always)
  private mutating func append(copying bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBufferPointer { buffer, count in
      // `rebasing` checks that there is room, before `copyMemory` relies on it.
      let room = UnsafeMutableBufferPointer(rebasing: buffer[count..<count &+ bytes.count])
      UnsafeMutableRawBufferPointer(room).copyMemory(from: bytes)
      count &+= bytes.count
    }
  }

  /// Appends a base-128 number in its shortest form.
  @inline(__always)
  fileprivate mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a short text with its length.
  fileprivate mutating func append(_ text: StaticString) {
    append(UInt8(truncatingIfNeeded: text.utf8CodeUnitCount))
    text.withUTF8Buffer { append(copying: UnsafeRawBufferPointer($0)) }
  }

  fileprivate mutating func appendNumber(_ number: UInt64, tag: UInt8) {
    guard number != 0 else { return }
    append(tag)
    appendVarint(number)
  }

  fileprivate mutating func appendTime(_ time: UInt64, tag: UInt8) {
    guard time != 0 else { return }
    append(tag)
    appendWord(time)
  }

  /// Appends an ID of big-endian words; one that is all zero is left out, so that its span alone is refused.
  fileprivate mutating func appendID<let count: Int>(
    _ tag: UInt8, _ words: InlineArray<count, UInt64>, keepsZero: Bool = false
  ) {
    var bits: UInt64 = 0
    for index in words.indices { bits |= words[index] }
    guard bits != 0 || keepsZero else { return }
    append(tag)
    append(UInt8(truncatingIfNeeded: count &* 8))
    for index in words.indices { appendWord(words[index].byteSwapped) }
  }

  /// Appends eight bytes, little endian.
  @inline(__always)
  fileprivate mutating func appendWord(_ word: UInt64) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(copying: $0) }
  }
}
