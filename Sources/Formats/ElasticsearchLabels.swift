internal import TraceWire

/// What the schema has no field for: text and truth values, and numbers apart, so that a name has one type in all
/// documents (Elastic's `labels` and `numeric_labels`).
struct ElasticsearchLabels {
  private var text = Members()
  private var numbers = Members()
  private var scratch: [UInt8] = []

  /// The members of one object that is being written.
  private struct Members {
    var bytes: [UInt8] = []
    var names = UniqueNames()

    mutating func removeAll() {
      bytes.removeAll(keepingCapacity: true)
      names.removeAll()
    }

    /// Writes a name and its colon; false where it is taken or can be none.
    mutating func begin(_ key: ByteRange, of request: RawSpan) -> Bool {
      // Elasticsearch refuses documents with names of nothing but blanks.
      guard key.indices.contains(where: { request.byte(at: $0) > 0x20 }) else { return false }
      let start = bytes.count
      bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
      bytes.append(jsonString: key, of: request)
      for place in (start &+ 2)..<bytes.count
      where bytes[place] == UInt8(ascii: ".") || bytes[place] == UInt8(ascii: "*") {
        bytes[place] = UInt8(ascii: "_")
      }
      guard names.insert(bytes[(start &+ 1)...]) else {
        bytes.removeSubrange(start...)
        return false
      }
      bytes.append(UInt8(ascii: ":"))
      return true
    }
  }

  mutating func removeAll() {
    text.removeAll()
    numbers.removeAll()
  }

  /// Adds an attribute. Arrays are arrays of text; lists, and arrays with anything but scalars, are one text of JSON.
  mutating func add(_ attribute: OTLPAttribute, of request: RawSpan, depth: Int) throws(WireFault) {
    let value = attribute.value
    switch value.kind {
    case .none: break
    case .int:
      if numbers.begin(attribute.key, of: request) { numbers.bytes.append(decimal: value.int) }
    case .double where value.double.isFinite:
      if numbers.begin(attribute.key, of: request) { numbers.bytes.append(jsonNumber: value.double) }
    case .array:
      guard text.begin(attribute.key, of: request) else { return }
      if try Self.isFlat(value.range, of: request, depth: depth &+ 1) {
        try addElements(of: value.range, of: request, depth: depth &+ 1)
      } else {
        try text.bytes.append(quoted: value, of: request, depth: depth, scratch: &scratch)
      }
    case .text, .bool, .double, .list, .bytes:
      guard text.begin(attribute.key, of: request) else { return }
      try text.bytes.append(quoted: value, of: request, depth: depth, scratch: &scratch)
    }
  }

  private static func isFlat(_ array: ByteRange, of request: RawSpan, depth: Int) throws(WireFault) -> Bool {
    var elements = OTLPMessages(array, of: request, tag: 0x0a, depth: depth)
    while let element = try elements.next() {
      switch try OTLPValue(element, of: request, depth: depth &+ 1).kind {
      case .array, .list: return false
      case .none, .text, .bool, .int, .double, .bytes: break
      }
    }
    return true
  }

  private mutating func addElements(of array: ByteRange, of request: RawSpan, depth: Int) throws(WireFault) {
    var opening = UInt8(ascii: "[")
    var elements = OTLPMessages(array, of: request, tag: 0x0a, depth: depth)
    while let element = try elements.next() {
      text.bytes.append(opening)
      opening = UInt8(ascii: ",")
      let value = try OTLPValue(element, of: request, depth: depth &+ 1)
      try text.bytes.append(quoted: value, of: request, depth: depth &+ 1, scratch: &scratch)
    }
    if opening == UInt8(ascii: "[") { text.bytes.append(opening) }
    text.bytes.append(UInt8(ascii: "]"))
  }

  /// Appends the objects as members of the one around them, each with a comma in front.
  func append(to output: inout [UInt8]) {
    if !text.bytes.isEmpty {
      output.append(",\"labels\":")
      output.append(contentsOf: text.bytes)
      output.append(UInt8(ascii: "}"))
    }
    if !numbers.bytes.isEmpty {
      output.append(",\"numeric_labels\":")
      output.append(contentsOf: numbers.bytes)
      output.append(UInt8(ascii: "}"))
    }
  }
}
