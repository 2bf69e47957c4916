/// How much memory held spans may take.
public struct MemoryLimiterConfiguration: Sendable, Equatable {
  public var limitBytes = 512 << 20
  /// How far below the limit receivers begin to turn requests away.
  public var spikeLimitBytes = 128 << 20

  public init() {}
}

/// When a batch is sent.
public struct BatchConfiguration: Sendable, Equatable {
  public var timeout: Duration = .seconds(1)
  /// Spans that make a batch full.
  public var sendBatchSize = 1024
  /// The most spans of one batch; 0 for no such limit, as in the Collector.
  public var sendBatchMaxSize = 2048

  public init() {}
}

/// One action on the attributes of resources.
public struct ResourceActionConfiguration: Sendable, Equatable {
  /// What is done.
  public enum Action: String, CaseIterable, Sendable {
    case insert
    case update
    case upsert
    case delete
  }

  /// An attribute's value; its type is the one it has in YAML.
  public enum Value: Sendable, Equatable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
  }

  public var key: String
  public var action: Action
  /// Nil for `delete` only.
  public var value: Value?
  /// Whether the value came from the environment, and so is not shown.
  public var isSecret = false

  /// An action.
  public init(key: String, action: Action, value: Value? = nil) {
    self.key = key
    self.action = action
    self.value = value
  }
}

extension ResourceActionConfiguration: CustomReflectable {
  public var customMirror: Mirror {
    let shown: Any = isSecret ? Secret("") : value as Any
    return Mirror(self, children: ["key": key, "action": action, "value": shown], displayStyle: .struct)
  }
}

/// What stands in `processors`.
struct ProcessorsConfiguration {
  var memoryLimiter = MemoryLimiterConfiguration()
  var resourceActions: [ResourceActionConfiguration] = []
  var batch = BatchConfiguration()

  static func read(_ section: SectionReader) -> ProcessorsConfiguration? {
    var value = ProcessorsConfiguration()
    value.memoryLimiter = section.section("memory_limiter", MemoryLimiterConfiguration.read) ?? value.memoryLimiter
    value.resourceActions =
      section.section("resource") { $0.sections("attributes", ResourceActionConfiguration.read) } ?? []
    value.batch = section.section("batch", BatchConfiguration.read) ?? value.batch
    return value
  }
}

extension MemoryLimiterConfiguration {
  static func read(_ section: SectionReader) -> MemoryLimiterConfiguration? {
    var value = MemoryLimiterConfiguration()
    value.limitBytes = section["limit_mib"]?.mebibytes(1...1_048_576) ?? value.limitBytes
    let spike = section["spike_limit_mib"]
    // Left out, it is a quarter of a small limit.
    value.spikeLimitBytes = spike?.mebibytes(0...1_048_576) ?? min(value.spikeLimitBytes, value.limitBytes / 4)
    if let spike, value.spikeLimitBytes >= value.limitBytes {
      spike.fail("must be less than limit_mib, which is \(value.limitBytes >> 20)")
    }
    return value
  }
}

extension BatchConfiguration {
  static func read(_ section: SectionReader) -> BatchConfiguration? {
    var value = BatchConfiguration()
    value.timeout = section["timeout"]?.duration() ?? value.timeout
    value.sendBatchSize = section["send_batch_size"]?.integer(1...10_000_000) ?? value.sendBatchSize
    let most = section["send_batch_max_size"]
    value.sendBatchMaxSize = most?.integer(0...10_000_000) ?? max(value.sendBatchMaxSize, value.sendBatchSize)
    if let most, value.sendBatchMaxSize > 0, value.sendBatchMaxSize < value.sendBatchSize {
      most.fail("must be 0 (no limit) or at least send_batch_size, which is \(value.sendBatchSize)")
    }
    return value
  }
}

extension ResourceActionConfiguration {
  static func read(_ section: SectionReader) -> ResourceActionConfiguration? {
    let key = section.required("key", "it names the attribute")?.string()
    let allowed = "allowed: \(Action.allCases.map(\.rawValue).joined(separator: ", "))"
    let action = section.required("action", allowed)?.choice(Action.self)
    var setting = section["value"]
    if let action, action != .delete { setting = section.required("value", "\(action.rawValue) needs one") }
    let value = setting?.attributeValue()
    if action == .delete { setting?.fail("delete takes no value") }
    guard let key, let action, action == .delete || value != nil else { return nil }
    var result = ResourceActionConfiguration(key: key, action: action, value: value)
    if case .scalar(let scalar)? = setting?.node.content { result.isSecret = scalar.isExpanded }
    return result
  }
}

extension Setting {
  fileprivate func attributeValue() -> ResourceActionConfiguration.Value? {
    scalar("a string, a number or a boolean") { scalar in
      guard scalar.isPlain else { return .string(scalar.text) }
      if let flag = scalar.boolean { return .bool(flag) }
      if let whole = scalar.integer { return .int(Int64(whole)) }
      if let number = scalar.number { return .double(number) }
      return .string(scalar.text)
    }
  }
}
