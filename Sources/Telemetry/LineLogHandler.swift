public import Logging

/// How a log line looks.
public enum LogFormat: String, CaseIterable, Sendable {
  /// `2026-11-21T03:42:00.123Z INFO  message key=value key="quoted value"`
  case text
  /// One JSON object with `time`, `level`, `message` and the metadata.
  case json
}

/// Writes each event as exactly one line, whatever a peer named its spans.
public struct LineLogHandler: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?
  private let format: LogFormat
  private let sink: any LogSink
  private let now: @Sendable () -> LogTimestamp

  /// A handler; `now` is the wall clock.
  public init(
    level: Logger.Level = .info, format: LogFormat = .text, sink: any LogSink,
    now: @escaping @Sendable () -> LogTimestamp = { .now() }
  ) {
    logLevel = level
    self.format = format
    self.sink = sink
    self.now = now
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
    if let own = event.metadata { all.merge(own) { _, new in new } }
    if let error = event.error { all["error"] = .string("\(error)") }
    let fields = all.sorted { $0.key < $1.key }
    var line = LogText()
    switch format {
    case .text: line.appendTextLine(now(), event.level, "\(event.message)", fields)
    case .json: line.appendJSONLine(now(), event.level, "\(event.message)", fields)
    }
    line.append("\n")
    sink.write(line.bytes)
  }
}

extension LogText {
  fileprivate typealias Field = (key: String, value: Logger.Metadata.Value)

  fileprivate mutating func appendTextLine(
    _ time: LogTimestamp, _ level: Logger.Level, _ message: String, _ fields: [Field]
  ) {
    append("\(time.text) \(level.column) ")
    appendPlain(message)
    for (key, value) in fields {
      append(" ")
      appendWord(key)
      append("=")
      appendWord(Self.flat(value))
    }
  }

  /// A value as one text: `[a, b]` and `{k: v}` for what is nested.
  private static func flat(_ value: Logger.Metadata.Value) -> String {
    switch value {
    case .string(let text): text
    case .stringConvertible(let thing): "\(thing)"
    case .array(let values): "[" + values.map(flat).joined(separator: ", ") + "]"
    case .dictionary(let values):
      "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \(flat($0.value))" }.joined(separator: ", ") + "}"
    }
  }

  fileprivate mutating func appendJSONLine(
    _ time: LogTimestamp, _ level: Logger.Level, _ message: String, _ fields: [Field]
  ) {
    append("{\"time\":\"\(time.text)\",\"level\":\"\(level.rawValue)\",\"message\":")
    appendQuoted(message)
    for (key, value) in fields {
      append(",")
      // A key that the line already has would make two members of one name.
      appendQuoted(["time", "level", "message"].contains(key) ? "metadata.\(key)" : key)
      append(":")
      appendJSON(value)
    }
    append("}")
  }

  private mutating func appendJSON(_ value: Logger.Metadata.Value) {
    switch value {
    case .string(let text): appendQuoted(text)
    case .stringConvertible(let thing):
      switch thing {
      case let number as Int: append("\(number)")
      case let number as UInt64: append("\(number)")
      case let number as Double where number.isFinite: append("\(number)")
      case let flag as Bool: append("\(flag)")
      default: appendQuoted("\(thing)")
      }
    case .array(let values):
      append("[")
      for (index, element) in values.enumerated() {
        if index > 0 { append(",") }
        appendJSON(element)
      }
      append("]")
    case .dictionary(let values):
      append("{")
      for (index, member) in values.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { append(",") }
        appendQuoted(member.key)
        append(":")
        appendJSON(member.value)
      }
      append("}")
    }
  }
}

extension Logger.Level {
  /// The level as a column of five.
  fileprivate var column: String {
    switch self {
    case .trace: "TRACE"
    case .debug: "DEBUG"
    case .info: "INFO "
    case .notice: "NOTE "
    case .warning: "WARN "
    case .error: "ERROR"
    case .critical: "CRIT "
    }
  }
}
