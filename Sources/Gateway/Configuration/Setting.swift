/// One value in the configuration, about to be read as what it should be. Readers that find something else say so in the
/// log and return nil, and the caller goes on with the default.
struct Setting {
  let node: ConfigurationNode
  let path: String
  let log: IssueLog
  /// What stands here, or in here, is nobody's business: messages do not show it.
  var isHidden = false

  func fail(_ message: String) { log.error(node.place, path, message) }
  func warn(_ message: String) { log.warning(node.place, path, message) }

  /// What stands there, for a message.
  var shown: String {
    switch node.content {
    case .scalar where isHidden: "what stands there"
    case .null: "nothing"
    case .mapping: "a mapping"
    case .list: "a list"
    case .scalar(let scalar):
      scalar.source.count > 60 ? "\"\(scalar.source.prefix(60))…\"" : "\"\(scalar.source)\""
    }
  }

  /// Reads a scalar; where it is not one, or `read` returns nil, it "must be" what `expected` says.
  func scalar<Value>(_ expected: @autoclosure () -> String, _ read: (ConfigurationScalar) -> Value?) -> Value? {
    if case .scalar(let scalar) = node.content, let value = read(scalar) { return value }
    fail("must be \(expected()), not \(shown)")
    return nil
  }

  // MARK: Strings

  /// Any string that is not empty. A number or a boolean without quotation marks is none.
  func string() -> String? {
    let text: String? = scalar("a string") { scalar in
      guard scalar.isPlain, !scalar.isExpanded else { return scalar.text }
      return scalar.number == nil && scalar.boolean == nil ? scalar.text : nil
    }
    guard let text else { return nil }
    if text.isEmpty {
      fail("must not be empty")
      return nil
    }
    return text
  }

  /// One of the words that a type's cases are written as.
  func choice<Choice: CaseIterable & RawRepresentable>(_ type: Choice.Type) -> Choice? where Choice.RawValue == String {
    let allowed = Choice.allCases.map(\.rawValue)
    return scalar((allowed.count > 1 ? "one of " : "") + allowed.joined(separator: ", ")) { Choice(rawValue: $0.text) }
  }

  func boolean() -> Bool? { scalar("true or false", \.boolean) }

  // MARK: Numbers

  func integer(_ range: ClosedRange<Int>) -> Int? {
    let upper = range.upperBound == .max ? " or more" : " to \(range.upperBound)"
    return scalar("a whole number, \(range.lowerBound)\(upper)") { scalar in
      scalar.integer.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Mebibytes, as bytes.
  func mebibytes(_ range: ClosedRange<Int>) -> Int? { integer(range).map { $0 << 20 } }

  func probability() -> Double? {
    scalar("a probability from 0 to 1") { scalar in scalar.number.flatMap { (0...1).contains($0) ? $0 : nil } }
  }

  /// A duration as Go writes it (`1m30s`, `500ms`, `0`), of at least so much.
  func duration(atLeast minimum: Duration = .zero) -> Duration? {
    let parsed = scalar("a duration such as 10s, 500ms or 1m30s (units ns, us, ms, s, m, h)") { DurationText($0.text) }
    guard let value = parsed?.value else { return nil }
    guard value >= minimum else {
      fail(
        minimum == .zero
          ? "must not be negative, not \(shown)" : "must be \(DurationText(minimum)) or more, not \(shown)")
      return nil
    }
    return value
  }

  // MARK: Lists

  /// The elements; nothing, and a complaint, where it is no list.
  var elements: [Setting] {
    guard case .list(let nodes) = node.content else {
      fail("must be a list, not \(shown)")
      return []
    }
    return nodes.enumerated().map { Setting(node: $1, path: "\(path)[\($0)]", log: log, isHidden: isHidden) }
  }

  func strings() -> [String] { elements.compactMap { $0.string() } }
}
