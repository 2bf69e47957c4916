internal import LinearRegex
internal import TraceWire

/// One loop's carrying out of actions on a list of attributes.
struct AttributeEditor: Sendable {
  private struct Step: Sendable {
    var kind: AttributeAction.Kind
    var key: [UInt8]?
    /// Encoded `AnyValue`s.
    var value: [UInt8]?
    var fallback: [UInt8]?
    var source: [UInt8]?
    var type: AttributeAction.ValueType?
    var hashKey: HashKey?
    var matcher: Matcher?
    /// The named groups of the pattern.
    var groups: [(number: Int, key: [UInt8])] = []
  }

  private var steps: [Step]
  private var text: [UInt8] = []
  private var value: [UInt8] = []
  private static let bytesKept = 1 << 16

  init(_ actions: [AttributeAction]) {
    steps = actions.map { action in
      var step = Step(kind: action.kind)
      step.key = action.key.map { Array($0.utf8) }
      step.value = action.value.map(AnyValueEncoder.encode)
      step.fallback = action.defaultValue.map(AnyValueEncoder.encode)
      step.source = action.fromAttribute.map { Array($0.utf8) }
      step.type = action.convertedType
      step.hashKey = action.hashKey
      step.matcher = action.pattern.map { Matcher($0) }
      for (number, name) in (action.pattern?.groups ?? []).enumerated() {
        if let name { step.groups.append((number, Array(name.utf8))) }
      }
      return step
    }
  }

  var isEmpty: Bool { steps.isEmpty }

  /// Carries out the actions, each over what the ones before left.
  mutating func run(
    on list: inout AttributeList, in bytes: RawSpan, growth: inout GrowthLimit
  ) throws(WireFault) {
    for index in steps.indices {
      switch steps[index].kind {
      case .insert, .update, .upsert: try set(index, &list, bytes, &growth)
      case .delete: for entry in list.entries.indices where names(index, entry, list, bytes) { list.remove(entry) }
      case .hash: try hash(index, &list, bytes)
      case .extract: try extract(index, &list, bytes, &growth)
      case .convert: try convert(index, &list, bytes)
      }
    }
  }

  private func set(
    _ index: Int, _ list: inout AttributeList, _ bytes: RawSpan, _ growth: inout GrowthLimit
  ) throws(WireFault) {
    guard let key = steps[index].key else { return }
    let isPresent = list.index(of: key, in: bytes) != nil
    if steps[index].kind == .insert, isPresent { return }
    if steps[index].kind == .update, !isPresent { return }
    var value = steps[index].value
    if let source = steps[index].source {
      if let found = list.index(of: source, in: bytes) {
        guard let copy = try Self.copy(found, of: list, bytes, &growth) else { return }
        value = copy
      } else {
        value = steps[index].fallback
      }
    }
    guard let value = value ?? steps[index].fallback, growth.admits(value.count &+ key.count) else { return }
    list.set(key, value, in: bytes)
  }

  /// The encoded value of an attribute; a text that is too long is cut, and anything else that is too long left out.
  private static func copy(
    _ index: Int, of list: AttributeList, _ bytes: RawSpan, _ growth: inout GrowthLimit
  ) throws(WireFault) -> [UInt8]? {
    let view = try list.value(index, in: bytes)
    let isMade = list.entries[index].isMade
    if view.kind == .string {
      var text = isMade ? list.made.span.bytes.array(view.content) : bytes.array(view.content)
      growth.shorten(&text)
      return AnyValueEncoder.string(text)
    }
    guard view.message.count <= GrowthLimit.valueBytesMax else {
      _ = growth.admits(.max)
      return nil
    }
    return isMade ? list.made.span.bytes.array(view.message) : bytes.array(view.message)
  }

  /// Whether an action is for an attribute: by its key, or by the pattern of keys.
  private mutating func names(_ step: Int, _ entry: Int, _ list: AttributeList, _ bytes: RawSpan) -> Bool {
    let (key, isMade, isRemoved) = (list.entries[entry].key, list.entries[entry].isMade, list.entries[entry].isRemoved)
    guard !isRemoved else { return false }
    if let own = steps[step].key, list.hasKey(entry, own, in: bytes) { return true }
    if isMade { return steps[step].matcher?.matches(list.made.span.bytes, in: key.indices) ?? false }
    return steps[step].matcher?.matches(bytes, in: key.indices) ?? false
  }

  private mutating func hash(_ step: Int, _ list: inout AttributeList, _ bytes: RawSpan) throws(WireFault) {
    for entry in list.entries.indices where names(step, entry, list, bytes) {
      text.empty(capacityMax: Self.bytesKept)
      value.empty(capacityMax: Self.bytesKept)
      try list.appendText(entry, in: bytes, to: &text)
      let secret = steps[step].hashKey
      if let secret {
        secret.append(hashOf: text, to: &value)
      } else {
        HashKey.append(unkeyedHashOf: text, to: &value)
      }
      list.replace(entry, AnyValueEncoder.string(value), in: bytes)
    }
  }

  private mutating func extract(
    _ step: Int, _ list: inout AttributeList, _ bytes: RawSpan, _ growth: inout GrowthLimit
  ) throws(WireFault) {
    guard let key = steps[step].key, let found = list.index(of: key, in: bytes), list.entries[found].text != nil
    else { return }
    text.empty(capacityMax: Self.bytesKept)
    try list.appendText(found, in: bytes, to: &text)
    let text = text
    guard steps[step].matcher?.find(text.span.bytes, in: 0..<text.count) == true else { return }
    let groups = steps[step].groups
    for (number, key) in groups {
      guard let range = steps[step].matcher?.capture(number) else { continue }
      var captured = Array(text[range])
      growth.shorten(&captured)
      let value = AnyValueEncoder.string(captured)
      if growth.admits(value.count &+ key.count) { list.set(key, value, in: bytes) }
    }
  }

  private mutating func convert(_ step: Int, _ list: inout AttributeList, _ bytes: RawSpan) throws(WireFault) {
    guard let key = steps[step].key, let type = steps[step].type, let found = list.index(of: key, in: bytes)
    else { return }
    let view = try list.value(found, in: bytes)
    guard Self.isConvertible(view.kind, to: type) else { return }
    text.empty(capacityMax: Self.bytesKept)
    try list.appendText(found, in: bytes, to: &text)
    if let converted = Self.converted(view, text, to: type) {
      list.replace(found, AnyValueEncoder.encode(converted), in: bytes)
    }
  }

  private static func isConvertible(_ kind: AnyValueView.Kind, to type: AttributeAction.ValueType) -> Bool {
    switch kind {
    case .none, .array, .list, .bytes: false
    case .bool: true
    case .string: type != .string
    case .int: type != .int
    case .double: type != .double
    }
  }

  /// A value as another type; nil where it cannot be read as one.
  private static func converted(
    _ view: AnyValueView, _ text: [UInt8], to type: AttributeAction.ValueType
  ) -> AttributeValue? {
    // No number is written with more characters.
    let word = text.count <= 400 ? String(decoding: text, as: UTF8.self) : ""
    switch (type, view.kind) {
    case (.string, _): return .string(word)
    case (.int, .bool): return .int(view.word != 0 ? 1 : 0)
    case (.double, .bool): return .double(view.word != 0 ? 1 : 0)
    case (.int, .double): return Int64(exactly: Double(bitPattern: view.word).rounded(.towardZero)).map { .int($0) }
    case (.double, .int): return .double(Double(Int64(bitPattern: view.word)))
    case (.int, _): return Int64(word).map { .int($0) }
    case (.double, _): return Double(word).map { .double($0) }
    }
  }
}
