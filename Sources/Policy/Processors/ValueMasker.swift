internal import LinearRegex
internal import TraceWire

/// One loop's masking of what is blocked in values, also in the values inside of arrays and lists.
struct ValueMasker: Sendable {
  /// How deep arrays and lists are looked into; what lies deeper is masked as a whole.
  static let depthMax = 16
  private static let asterisks = Array("****".utf8)

  /// All blocked patterns in one go.
  private var any: Matcher?
  private var each: [Matcher]
  private let ignoredKeys: Set<[UInt8]>
  private let looksAtAllTypes: Bool
  private let hashKey: HashKey?
  /// How much longer hashes may make the request; past it there are asterisks.
  var growth = GrowthLimit()

  init(_ rules: RedactionRules) {
    each = rules.blockedValues.map { Matcher($0) }
    any = rules.blockedValues.isEmpty ? nil : (try? Pattern.union(rules.blockedValues)).map { Matcher($0) }
    ignoredKeys = Set(rules.ignoredKeys.map { Array($0.utf8) })
    looksAtAllTypes = rules.redactsAllTypes
    hashKey = rules.hashKey
  }

  /// Whether anything in a text is blocked.
  mutating func matches(_ bytes: RawSpan, _ text: ByteRange) -> Bool { any?.matches(bytes, in: text.indices) ?? false }

  /// What stands for a text that was masked.
  mutating func substitute(for text: [UInt8]) -> [UInt8] {
    guard let hashKey, growth.admits(hashKey.hashBytes) else { return Self.asterisks }
    var hash: [UInt8] = []
    hashKey.append(hashOf: text, to: &hash)
    return hash
  }

  /// Appends a text with what is blocked masked.
  ///
  /// Finding every match takes longer than finding one: where that was looked for often enough without coming far, the
  /// whole rest is masked, and so it is where hashes would make the text much longer.
  mutating func mask(_ bytes: RawSpan, _ text: ByteRange, to output: inout [UInt8]) {
    var rest = bytes.array(text)
    var masked: [UInt8] = []
    for index in each.indices {
      guard each[index].matches(rest.span.bytes, in: 0..<rest.count) else { continue }
      masked.removeAll(keepingCapacity: true)
      let lengthMax = 4 &* rest.count &+ 1024
      let stepsMax = each[index].steps &+ 16 &* (rest.count &+ 64) &* each[index].pattern.size
      var position = 0
      while position < rest.count, each[index].find(rest.span.bytes, in: 0..<rest.count, from: position) {
        guard let match = each[index].capture(0), !match.isEmpty else { break }
        masked += rest[position..<match.lowerBound]
        masked += substitute(for: Array(rest[match]))
        position = match.upperBound
        if each[index].steps > stepsMax || masked.count > lengthMax {
          masked += substitute(for: Array(rest[position...]))
          position = rest.count
        }
      }
      masked += rest[position...]
      swap(&rest, &masked)
    }
    output += rest
  }

  // MARK: Values inside of values

  /// Appends the encoded `AnyValue` of a `KeyValue` with everything blocked in it masked; false, and nothing appended,
  /// where nothing is. Fields that are there several times are all looked at.
  mutating func maskValue(
    of attribute: ByteRange, in bytes: RawSpan, keys: inout Matcher?, to output: inout [UInt8]
  ) throws(WireFault) -> Bool {
    let start = output.count
    var isChanged = false
    var fields = ProtobufCursor(bytes, in: attribute)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x12 {
        if try maskAnyValue(try fields.delimited(), bytes, 1, &keys, &output) { isChanged = true }
      } else {
        try fields.skip(tag, depth: 1)
      }
    }
    if !isChanged { output.removeSubrange(start...) }
    return isChanged
  }

  /// Appends the content of an `AnyValue`, masked; whether anything was.
  private mutating func maskAnyValue(
    _ value: ByteRange, _ bytes: RawSpan, _ depth: Int, _ keys: inout Matcher?, _ output: inout [UInt8]
  ) throws(WireFault) -> Bool {
    guard depth <= Self.depthMax else {
      output += AnyValueEncoder.string(substitute(for: bytes.array(value)))
      return true
    }
    var isChanged = false
    var fields = ProtobufCursor(bytes, in: value)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      switch tag {
      case 0x0a:
        let text = try fields.delimited()
        if matches(bytes, text) {
          var safe: [UInt8] = []
          mask(bytes, text, to: &safe)
          output += AnyValueEncoder.string(safe)
          isChanged = true
          continue
        }
      case 0x10, 0x18, 0x21:
        let word = tag == 0x21 ? try fields.fixed64() : try fields.varint()
        if looksAtAllTypes, maskNumber(tag, word, &output) {
          isChanged = true
          continue
        }
      case 0x2a, 0x32:
        let inside = try fields.delimited()
        if try maskMembers(inside, isList: tag == 0x32, bytes, depth, &keys, &output) { isChanged = true }
        continue
      default: try fields.skip(tag, depth: 1)
      }
      bytes.append(ByteRange(start, fields.position), to: &output)
    }
    return isChanged
  }

  private mutating func maskNumber(_ tag: UInt64, _ word: UInt64, _ output: inout [UInt8]) -> Bool {
    let text = AnyValueView.text(tag == 0x10 ? .bool : tag == 0x18 ? .int : .double, word)
    let range = ByteRange(0, text.count)
    guard matches(text.span.bytes, range) else { return false }
    var safe: [UInt8] = []
    mask(text.span.bytes, range, to: &safe)
    output += AnyValueEncoder.string(safe)
    return true
  }

  /// Appends an array or a list with its members masked; whether any was.
  private mutating func maskMembers(
    _ range: ByteRange, isList: Bool, _ bytes: RawSpan, _ depth: Int, _ keys: inout Matcher?, _ output: inout [UInt8]
  ) throws(WireFault) -> Bool {
    var isChanged = false
    var members: [UInt8] = []
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      guard tag == 0x0a else {
        try fields.skip(tag, depth: 1)
        bytes.append(ByteRange(start, fields.position), to: &members)
        continue
      }
      let member = try fields.delimited()
      var inside: [UInt8] = []
      let isMasked =
        isList
        ? try maskPair(member, bytes, depth &+ 1, &keys, &inside)
        : try maskAnyValue(member, bytes, depth &+ 1, &keys, &inside)
      if isMasked { isChanged = true }
      members.append(0x0a)
      members.appendVarint(UInt64(truncatingIfNeeded: inside.count))
      members += inside
    }
    output.append(isList ? 0x32 : 0x2a)
    output.appendVarint(UInt64(truncatingIfNeeded: members.count))
    output += members
    return isChanged
  }

  /// Appends the content of a list's `KeyValue`, masked; whether it was.
  private mutating func maskPair(
    _ pair: ByteRange, _ bytes: RawSpan, _ depth: Int, _ keys: inout Matcher?, _ output: inout [UInt8]
  ) throws(WireFault) -> Bool {
    var key = ByteRange()
    var look = ProtobufCursor(bytes, in: pair)
    while look.hasMore {
      let tag = try look.tag()
      if tag == 0x0a { key = try look.delimited() } else { try look.skip(tag, depth: 1) }
    }
    let isIgnored = !ignoredKeys.isEmpty && ignoredKeys.contains(bytes.array(key))
    let isBlocked = !isIgnored && keys?.matches(bytes, in: key.indices) == true
    var isChanged = false
    var fields = ProtobufCursor(bytes, in: pair)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      guard tag == 0x12, !isIgnored else {
        try fields.skip(tag, depth: 1)
        bytes.append(ByteRange(start, fields.position), to: &output)
        continue
      }
      let value = try fields.delimited()
      var inside: [UInt8] = []
      if isBlocked {
        inside = AnyValueEncoder.string(substitute(for: bytes.array(value)))
        isChanged = true
      } else if try maskAnyValue(value, bytes, depth, &keys, &inside) {
        isChanged = true
      }
      output.append(0x12)
      output.appendVarint(UInt64(truncatingIfNeeded: inside.count))
      output += inside
    }
    return isChanged
  }
}
