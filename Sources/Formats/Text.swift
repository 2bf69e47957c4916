internal import TraceWire

/// Where a string of the span that is being read lies: in the request, or in the draft's own bytes where it had to be
/// made (escapes taken out, addresses written out).
struct Text {
  var range = ByteRange()
  var isMade = false

  var isEmpty: Bool { range.isEmpty }
  var count: Int { range.count }
}

/// The bytes that texts lie in: those made for the span that is being read, beside the request's.
struct TextBytes {
  private(set) var made: [UInt8] = []

  mutating func removeAll() { made.removeAll(keepingCapacity: true) }

  /// A string of JSON, with its escapes taken out.
  mutating func text(_ text: JSONScanner.Text, of request: RawSpan) -> Text {
    guard text.hasEscapes else { return Text(range: ByteRange(text.range.lowerBound, text.range.upperBound)) }
    return make { $0.append(text, of: request) }
  }

  /// A string that a binary format says is UTF-8. What is not becomes U+FFFD: one attribute is no reason to refuse a
  /// request, and no reason for a back end to refuse it.
  mutating func text(_ range: ByteRange, of request: RawSpan) -> Text {
    if request.isASCII(range) { return Text(range: range) }
    let isValid = request.extracting(range.indices).withUnsafeBytes { String(validating: $0, as: UTF8.self) != nil }
    if isValid { return Text(range: range) }
    return make { made in
      request.extracting(range.indices).withUnsafeBytes { made += String(decoding: $0, as: UTF8.self).utf8 }
    }
  }

  /// A text that the body writes.
  mutating func make(_ body: (inout [UInt8]) -> Void) -> Text {
    let start = made.count
    body(&made)
    return Text(range: ByteRange(start, made.count), isMade: true)
  }

  /// Whether a text is this one.
  func matches(_ text: Text, _ other: StaticString, of request: RawSpan) -> Bool {
    guard text.count == other.utf8CodeUnitCount else { return false }
    return starts(text, with: other, of: request)
  }

  /// Whether a text starts with this one.
  func starts(_ text: Text, with other: StaticString, of request: RawSpan) -> Bool {
    guard text.count >= other.utf8CodeUnitCount else { return false }
    let start = Int(text.range.lower)
    return text.isMade ? made.span.bytes.starts(at: start, with: other) : request.starts(at: start, with: other)
  }

  /// Whether a text is the same as one of other bytes.
  func equal(_ text: Text, _ other: Text, in others: TextBytes, of request: RawSpan) -> Bool {
    guard text.count == other.count else { return false }
    for index in 0..<text.count {
      let byte = byte(at: Int(text.range.lower) &+ index, isMade: text.isMade, of: request)
      guard byte == others.byte(at: Int(other.range.lower) &+ index, isMade: other.isMade, of: request) else {
        return false
      }
    }
    return true
  }

  /// The first byte of a text that has one.
  func firstByte(_ text: Text, of request: RawSpan) -> UInt8 {
    byte(at: Int(text.range.lower), isMade: text.isMade, of: request)
  }

  /// The text's bytes, for what is seldom.
  func bytes(_ text: Text, of request: RawSpan) -> [UInt8] {
    var bytes: [UInt8] = []
    append(text, to: &bytes, of: request)
    return bytes
  }

  func append(_ text: Text, to output: inout [UInt8], of request: RawSpan) {
    if text.isMade {
      output.append(contentsOf: made[text.range.indices])
    } else {
      output.append(text.range, of: request)
    }
  }

  /// A number for a text: equal ones have equal numbers (FNV-1a).
  func digest(_ text: Text, of request: RawSpan) -> UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for offset in text.range.indices {
      digest = (digest ^ UInt64(byte(at: offset, isMade: text.isMade, of: request))) &* 0x100_0000_01b3
    }
    return digest
  }

  @inline(__always)
  private func byte(at offset: Int, isMade: Bool, of request: RawSpan) -> UInt8 {
    isMade ? made[offset] : request.byte(at: offset)
  }
}

extension RawSpan {
  /// Whether these bytes are at an offset. Words first: most differ in their first bytes.
  @inline(__always)
  func starts(at offset: Int, with text: StaticString) -> Bool {
    // SAFETY: a literal's bytes stay where they are for ever.
    let other = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    var index = 0
    while other.count &- index >= 8 {
      let word = unsafeLoadUnaligned(fromByteOffset: offset &+ index, as: UInt64.self)
      guard word == other.loadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
      index &+= 8
    }
    while index < other.count {
      guard byte(at: offset &+ index) == other[index] else { return false }
      index &+= 1
    }
    return true
  }

  fileprivate func isASCII(_ range: ByteRange) -> Bool {
    var offset = Int(range.lower)
    let end = Int(range.upper)
    var words: UInt64 = 0
    while end &- offset >= 8 {
      words |= unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      offset &+= 8
    }
    var tops: UInt8 = 0
    while offset < end {
      tops |= byte(at: offset)
      offset &+= 1
    }
    return words & 0x8080_8080_8080_8080 == 0 && tops < 0x80
  }
}
