extension OTLPJSONOutput {
  /// Writes a number as the field has it; false where it is no number of that type.
  mutating func append(
    _ number: JSONNumber, as field: OTLPJSONField, of text: RawSpan, keepsDefault: Bool
  ) -> Bool {
    switch field.kind {
    case .int64:
      guard let value = number.integer(Int64.self, of: text) else { return false }
      varint(field.number, UInt64(bitPattern: value), keepsDefault)
    case .int32, .spanKind, .statusCode:
      guard let value = number.integer(Int32.self, of: text) else { return false }
      varint(field.number, UInt64(bitPattern: Int64(value)), keepsDefault)
    case .uint32:
      guard let value = number.integer(UInt32.self, of: text) else { return false }
      varint(field.number, UInt64(value), keepsDefault)
    case .fixed32:
      guard let value = number.integer(UInt32.self, of: text) else { return false }
      fixed(field.number, UInt64(value), wireType: 5, keepsDefault)
    case .fixed64:
      guard let value = number.integer(UInt64.self, of: text) else { return false }
      fixed(field.number, value, wireType: 1, keepsDefault)
    case .double:
      guard let value = number.double(of: text) else { return false }
      fixed(field.number, value.bitPattern, wireType: 1, keepsDefault)
    default: return false
    }
    return true
  }

  /// Writes what a string says as the field has it. Throws `badValue` where it says nothing of that type.
  mutating func append(
    _ range: Range<Int>, as field: OTLPJSONField, of text: RawSpan, keepsDefault: Bool
  ) throws(WireFault) {
    switch field.kind {
    case .identifier: try identifier(range, field.number, of: text)
    case .bytes:
      guard !range.isEmpty || keepsDefault else { return }
      let open = open(field.number)
      try Base64.decode(range, of: text, to: &bytes)
      close(open)
    case .spanKind, .statusCode:
      guard let value = OTLPJSONName(range, of: text).flatMap(field.kind.enumNumber) else {
        throw WireFault(.badValue, at: range.lowerBound)
      }
      varint(field.number, UInt64(bitPattern: value), keepsDefault)
    default:
      if case .double = field.kind, let value = Self.named(range, of: text) {
        fixed(field.number, value.bitPattern, wireType: 1, keepsDefault)
        return
      }
      let number: JSONNumber
      do {
        number = try JSONNumber(range, of: text)
      } catch {
        // Inside of a string it is not JSON's syntax that is wrong.
        throw WireFault(.badValue, at: error.offset)
      }
      guard number.end == range.upperBound, append(number, as: field, of: text, keepsDefault: keepsDefault) else {
        throw WireFault(.badValue, at: range.lowerBound)
      }
    }
  }

  /// Writes an ID. An odd digit at the end counts for nothing, or for a byte where the ID were valid without it.
  private mutating func identifier(_ range: Range<Int>, _ number: Int, of text: RawSpan) throws(WireFault) {
    guard !range.isEmpty else { return }
    let open = open(number)
    var high: UInt8?
    for offset in range {
      guard let digit = text.byte(at: offset).hexDigitValue else { throw WireFault(.badValue, at: offset) }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    if high != nil, range.count == 17 || range.count == 33 { bytes.append(0) }
    close(open)
  }

  private static func named(_ range: Range<Int>, of text: RawSpan) -> Double? {
    switch OTLPJSONName(range, of: text) {
    case OTLPJSONName("NaN"): .nan
    case OTLPJSONName("Infinity"): .infinity
    case OTLPJSONName("-Infinity"): -.infinity
    default: nil
    }
  }

  private mutating func varint(_ field: Int, _ value: UInt64, _ keepsDefault: Bool) {
    guard value != 0 || keepsDefault else { return }
    bytes.appendTag(field, 0)
    bytes.appendVarint(value)
  }

  /// Writes four bytes (wire type 5) or eight (1), little endian.
  private mutating func fixed(_ field: Int, _ value: UInt64, wireType: UInt64, _ keepsDefault: Bool) {
    guard value != 0 || keepsDefault else { return }
    bytes.appendTag(field, wireType)
    for shift in stride(from: UInt64(0), to: wireType == 5 ? 32 : 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}
