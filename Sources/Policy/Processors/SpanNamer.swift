internal import LinearRegex
internal import TraceWire

/// One loop's making of span names out of attributes, and of attributes out of names.
struct SpanNamer: Sendable {
  private let sources: [[UInt8]]
  private let separator: [UInt8]
  private var matchers: [Matcher]
  private let groups: [[(number: Int, key: [UInt8])]]
  private let breaksAfterMatch: Bool
  private let keepsName: Bool
  private var next: [UInt8] = []

  init(_ rules: SpanNameRules) {
    sources = rules.fromAttributes.map { Array($0.utf8) }
    separator = Array(rules.separator.utf8)
    matchers = rules.toAttributes.map { Matcher($0) }
    groups = rules.toAttributes.map { pattern in
      pattern.groups.enumerated().compactMap { number, name in name.map { (number, Array($0.utf8)) } }
    }
    breaksAfterMatch = rules.breakAfterMatch
    keepsName = rules.keepOriginalName
  }

  /// Works out a span's name, and the attributes that come of it; whether the name is another one.
  mutating func run(
    _ name: inout [UInt8], on list: inout AttributeList, in bytes: RawSpan, growth: inout GrowthLimit
  ) throws(WireFault) -> Bool {
    var isChanged = try join(list, bytes, &name, &growth)
    for index in matchers.indices {
      guard matchers[index].find(name.span.bytes, in: 0..<name.count) else { continue }
      if extract(index, &list, bytes, &name, &growth) { isChanged = true }
      if breaksAfterMatch { break }
    }
    return isChanged
  }

  /// Makes the name of attributes, where all of them are there.
  private mutating func join(
    _ list: AttributeList, _ bytes: RawSpan, _ name: inout [UInt8], _ growth: inout GrowthLimit
  ) throws(WireFault) -> Bool {
    guard !sources.isEmpty else { return false }
    next.empty(capacityMax: 1 << 16)
    for (index, source) in sources.enumerated() {
      guard let found = list.index(of: source, in: bytes) else { return false }
      if index > 0 { next += separator }
      try list.appendText(found, in: bytes, to: &next)
    }
    return rename(&name, &growth)
  }

  /// Puts `next` in the name's place, if the request may grow by it.
  private mutating func rename(_ name: inout [UInt8], _ growth: inout GrowthLimit) -> Bool {
    growth.shorten(&next)
    guard next != name, growth.admits(max(0, next.count &- name.count)) else { return false }
    swap(&name, &next)
    return true
  }

  /// Makes attributes of the groups that a pattern has found in the name, and puts their names in their places.
  private mutating func extract(
    _ index: Int, _ list: inout AttributeList, _ bytes: RawSpan, _ name: inout [UInt8], _ growth: inout GrowthLimit
  ) -> Bool {
    next.empty(capacityMax: 1 << 16)
    var position = 0
    for (number, key) in groups[index] {
      guard let range = matchers[index].capture(number) else { continue }
      var text = Array(name[range])
      growth.shorten(&text)
      let value = AnyValueEncoder.string(text)
      if growth.admits(value.count &+ key.count) { list.set(key, value, in: bytes) }
      // A group inside another one has no place of its own.
      guard range.lowerBound >= position else { continue }
      next += name[position..<range.lowerBound]
      next.append(UInt8(ascii: "{"))
      next += key
      next.append(UInt8(ascii: "}"))
      position = range.upperBound
    }
    next += name[position...]
    return keepsName ? false : rename(&name, &growth)
  }
}
