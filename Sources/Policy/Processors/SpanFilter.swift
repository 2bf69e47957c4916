internal import LinearRegex
internal import TraceWire

/// One loop's question whether a processor is for a span.
struct SpanFilter: Sendable {
  private enum Texts: Sendable {
    case strict([[UInt8]])
    case patterns(Matcher)

    mutating func contain(_ range: ByteRange, of bytes: RawSpan) -> Bool {
      switch self {
      case .strict(let texts): return texts.contains { bytes.equals(range, $0) }
      case .patterns(var matcher):
        // Taken out and put back, so that the matcher keeps what it has learned without a copy.
        self = .strict([])
        let isMatch = matcher.matches(bytes, in: range.indices)
        self = .patterns(matcher)
        return isMatch
      }
    }
  }

  private struct Condition: Sendable {
    var key: [UInt8]
    var text: [UInt8]?
    var isText = false
    var matcher: Matcher?
  }

  private struct Properties: Sendable {
    var services: Texts?
    var names: Texts?
    var kinds: Set<UInt8>
    var conditions: [Condition]
  }

  private var include: Properties?
  private var exclude: Properties?
  private var text: [UInt8] = []

  init(_ rules: SpanFilterRules) {
    include = rules.include.map(Self.compile)
    exclude = rules.exclude.map(Self.compile)
  }

  /// Whether it takes every span.
  var isEmpty: Bool { include == nil && exclude == nil }

  private static func compile(_ properties: SpanFilterRules.Properties) -> Properties {
    Properties(
      services: properties.services.flatMap(compile), names: properties.names.flatMap(compile), kinds: properties.kinds,
      conditions: properties.attributes.map { attribute in
        var condition = Condition(key: Array(attribute.key.utf8))
        switch attribute.value {
        case .any: break
        case .matching(let pattern): condition.matcher = Matcher(pattern)
        case .equal(let value):
          if case .string = value { condition.isText = true }
          condition.text = Self.text(of: value)
        }
        return condition
      })
  }

  private static func compile(_ texts: SpanFilterRules.Properties.Texts) -> Texts? {
    switch texts {
    case .strict(let texts): return .strict(texts.map { Array($0.utf8) })
    case .patterns(let patterns): return (try? Pattern.union(patterns)).map { .patterns(Matcher($0)) }
    }
  }

  /// A configured value as an attribute's is written.
  private static func text(of value: AttributeValue) -> [UInt8] {
    switch value {
    case .string(let text): Array(text.utf8)
    case .bool(let flag): AnyValueView.text(.bool, flag ? 1 : 0)
    case .int(let number): AnyValueView.text(.int, UInt64(bitPattern: number))
    case .double(let number): AnyValueView.text(.double, number.bitPattern)
    }
  }

  /// Whether the processor is for this span. The attributes lie in `bytes`, the span's name in `names`, the service's in
  /// `request`.
  mutating func takes(
    _ subject: borrowing SpanSubject, _ list: AttributeList, in bytes: RawSpan, names: RawSpan, request: RawSpan
  ) throws(WireFault) -> Bool {
    if include != nil, try !matches(\.include, subject, list, bytes, names, request) { return false }
    guard exclude != nil else { return true }
    return try !matches(\.exclude, subject, list, bytes, names, request)
  }

  private mutating func matches(
    _ path: WritableKeyPath<SpanFilter, Properties?>, _ subject: borrowing SpanSubject, _ list: AttributeList,
    _ bytes: RawSpan, _ names: RawSpan, _ request: RawSpan
  ) throws(WireFault) -> Bool {
    guard var properties = self[keyPath: path] else { return false }
    self[keyPath: path] = nil
    defer { self[keyPath: path] = properties }
    if !properties.kinds.isEmpty, !properties.kinds.contains(subject.kind) { return false }
    if properties.services?.contain(subject.service, of: request) == false { return false }
    if properties.names?.contain(subject.name, of: names) == false { return false }
    for index in properties.conditions.indices {
      guard try matches(&properties.conditions[index], list, bytes) else { return false }
    }
    return true
  }

  private mutating func matches(
    _ condition: inout Condition, _ list: AttributeList, _ bytes: RawSpan
  ) throws(WireFault) -> Bool {
    guard let found = list.index(of: condition.key, in: bytes) else { return false }
    if condition.text == nil, condition.matcher == nil { return true }
    text.empty(capacityMax: 1 << 16)
    let view = try list.value(found, in: bytes)
    if let wanted = condition.text {
      guard (view.kind == .string) == condition.isText else { return false }
      try list.appendText(found, in: bytes, to: &text)
      return text == wanted
    }
    guard view.kind == .string else { return false }
    try list.appendText(found, in: bytes, to: &text)
    return condition.matcher?.matches(text.span.bytes, in: 0..<text.count) ?? false
  }
}

/// What a processor looks at besides the attributes of a span.
struct SpanSubject {
  /// The span's name.
  var name = ByteRange()
  /// The service's name, in the request's bytes.
  var service = ByteRange()
  /// OTLP's number of the kind.
  var kind: UInt8 = 0
}
