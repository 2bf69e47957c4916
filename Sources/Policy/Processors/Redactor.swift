internal import LinearRegex
internal import TraceWire

/// One loop's taking out of what must not be told: of keys, and of what values hold.
///
/// Attributes that say which region or service speaks, and whether it failed, stay: without them traces are stitched
/// and counted wrongly. They are `protectedKeys`.
struct Redactor: Sendable {
  /// What one list of attributes came to.
  struct Counts: Equatable, Sendable {
    var removed = 0
    var masked = 0
    var allowed = 0
    var ignored = 0
  }

  /// The keys that facts are made of: regions, service, error.
  static let protectedKeys =
    ResourceRules.regionKeys
    + ["service.name", "error", "http.response.status_code", "http.status_code"].map { Array($0.utf8) }

  /// About what the attributes of a summary take besides the keys they name.
  private static let summaryBytes = 80

  private let rules: RedactionRules
  private var standings: ByteTable<Standing>
  private var ignored: Matcher?
  private var blockedKeys: Matcher?
  private var allowed: Matcher?
  private var masker: ValueMasker
  private var text: [UInt8] = []
  private var output: [UInt8] = []
  /// Keys for the summary.
  private var removedKeys: [[UInt8]] = []
  private var maskedKeys: [[UInt8]] = []
  private var allowedKeys: [[UInt8]] = []
  /// All that was done so far.
  private(set) var total = Counts()

  private enum Standing: BitwiseCopyable, Sendable { case protected, ignored, allowed }

  init(_ rules: RedactionRules) {
    self.rules = rules
    // Only keys of the configuration are in the table: the secret need not be one.
    standings = ByteTable(hash: KeyedHash(seed: 1))
    for key in rules.allowedKeys { standings.set(Array(key.utf8)) { $0 ?? .allowed } }
    for key in rules.ignoredKeys { standings.set(Array(key.utf8)) { _ in .ignored } }
    for key in Self.protectedKeys { standings.set(key) { _ in .protected } }
    ignored = Self.union(rules.ignoredKeyPatterns)
    blockedKeys = Self.union(rules.blockedKeyPatterns)
    allowed = Self.union(rules.allowedValues)
    masker = ValueMasker(rules)
  }

  private static func union(_ patterns: [Pattern]) -> Matcher? {
    patterns.isEmpty ? nil : (try? Pattern.union(patterns)).map { Matcher($0) }
  }

  /// Begins with another request, which hashes and summaries may make so much longer.
  mutating func begin(requestBytes: Int) { masker.growth.begin(requestBytes: requestBytes) }

  /// Hashes and summaries that there was no room for.
  var refused: Int { masker.growth.refused }

  /// Takes out of a list of attributes what must not be told.
  mutating func run(on list: inout AttributeList, in bytes: RawSpan) throws(WireFault) {
    var counts = Counts()
    for index in list.entries.indices where !list.entries[index].isRemoved {
      let entry = list.entries[index]
      if entry.isMade {
        // What was made before lies in the list itself, which is about to change: a copy of this one alone is looked at.
        let body = list.made.span.bytes.array(entry.body)
        try redact(index, entry.moved(by: entry.body.lower), &list, body.span.bytes, bytes, &counts)
      } else {
        try redact(index, entry, &list, bytes, bytes, &counts)
      }
    }
    total.removed &+= counts.removed
    total.masked &+= counts.masked
    if rules.summary != .silent { summarize(counts, on: &list, in: bytes) }
  }

  /// Looks at one attribute, which lies in `source`.
  private mutating func redact(
    _ index: Int, _ entry: AttributeList.Entry, _ list: inout AttributeList, _ source: RawSpan, _ bytes: RawSpan,
    _ counts: inout Counts
  ) throws(WireFault) {
    let standing = standings.value(entry.key, of: source)
    if standing == .protected { return }
    if standing == .ignored || ignored?.matches(source, in: entry.key.indices) == true {
      counts.ignored &+= 1
      return
    }
    if !rules.allowsAllKeys, standing != .allowed {
      note(entry.key, source, in: \.removedKeys)
      counts.removed &+= 1
      return list.remove(index)
    }
    if allowed != nil, try isAllowed(entry, source) {
      note(entry.key, source, in: \.allowedKeys)
      counts.allowed &+= 1
      return
    }
    output.empty(capacityMax: 1 << 16)
    if blockedKeys?.matches(source, in: entry.key.indices) == true {
      try mask(entry.body, source)
    } else if let plain = entry.text, entry.isPlain {
      guard masker.matches(source, plain) else { return }
      text.empty(capacityMax: 1 << 16)
      masker.mask(source, plain, to: &text)
      output = AnyValueEncoder.string(text)
    } else {
      guard try masker.maskValue(of: entry.body, in: source, keys: &blockedKeys, to: &output) else { return }
    }
    note(entry.key, source, in: \.maskedKeys)
    counts.masked &+= 1
    list.replace(index, output, in: bytes)
  }

  private mutating func isAllowed(_ entry: AttributeList.Entry, _ source: RawSpan) throws(WireFault) -> Bool {
    if let plain = entry.text { return allowed?.matches(source, in: plain.indices) == true }
    guard rules.redactsAllTypes else { return false }
    let view = try AnyValueView(of: entry.body, in: source)
    let text = AnyValueView.text(view.kind, view.word)
    return !text.isEmpty && allowed?.matches(text.span.bytes, in: 0..<text.count) == true
  }

  /// Puts what stands for a whole value into `output`.
  private mutating func mask(_ attribute: ByteRange, _ source: RawSpan) throws(WireFault) {
    text.empty(capacityMax: 1 << 16)
    try AnyValueView(of: attribute, in: source).appendText(in: source, to: &text)
    output = AnyValueEncoder.string(masker.substitute(for: text))
  }

  // MARK: Summary

  private mutating func note(
    _ key: ByteRange, _ source: RawSpan, in keys: WritableKeyPath<Redactor, [[UInt8]]>
  ) {
    if rules.summary == .debug { self[keyPath: keys].append(source.array(key)) }
  }

  private mutating func summarize(_ counts: Counts, on list: inout AttributeList, in bytes: RawSpan) {
    let words = [
      ("redacted", counts.removed, removedKeys), ("masked", counts.masked, maskedKeys),
      ("allowed", counts.allowed, allowedKeys), ("ignored", counts.ignored, []),
    ]
    for (word, count, keys) in words where count > 0 {
      guard masker.growth.admits(keys.reduce(Self.summaryBytes) { $0 &+ $1.count &+ 1 }) else { break }
      if !keys.isEmpty {
        let text = keys.sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: [UInt8(ascii: ",")])
        list.set(Array("redaction.\(word).keys".utf8), AnyValueEncoder.string(Array(text)), in: bytes)
      }
      list.set(Array("redaction.\(word).count".utf8), AnyValueEncoder.int(Int64(count)), in: bytes)
    }
    removedKeys.removeAll(keepingCapacity: true)
    maskedKeys.removeAll(keepingCapacity: true)
    allowedKeys.removeAll(keepingCapacity: true)
  }
}
