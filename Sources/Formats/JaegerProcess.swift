internal import TraceWire

/// A Jaeger process: to OTLP the resource of its spans. Read once, and written for as many spans as it has.
struct JaegerProcess {
  private(set) var resource = ResourceDraft()
  private var texts = TextBytes()
  /// Names it says something of; more are not looked through for every span.
  private var keys: [Text] = []
  private static let keysMax = 64

  init() {}

  /// A process of its name and tags, whose texts lie in `texts`.
  init(_ service: Text, _ tags: [SpanDraft.Attribute], _ texts: TextBytes, number: Int, of request: RawSpan) {
    self.texts = texts
    func has(_ name: StaticString) -> Bool { tags.contains { texts.matches($0.key, name, of: request) } }
    var bytes: [UInt8] = []
    if !service.isEmpty, !has("service.name") { add("service.name", .text(service), to: &bytes, of: request) }
    // The name of Jaeger's clients for it, as the Collector has it.
    let hasHostName = has("host.name")
    for tag in tags {
      if !hasHostName, texts.matches(tag.key, "hostname", of: request) {
        add("host.name", tag.value, to: &bytes, of: request)
      } else {
        bytes.append([tag], tag: 0x0a, texts, of: request)
        if keys.count < Self.keysMax { keys.append(tag.key) }
      }
    }
    resource = ResourceDraft(number: number, attributes: bytes)
  }

  private mutating func add(
    _ key: StaticString, _ value: SpanDraft.Value, to bytes: inout [UInt8], of request: RawSpan
  ) {
    let name = texts.make { made in key.withUTF8Buffer { made.append(contentsOf: $0) } }
    bytes.append([SpanDraft.Attribute(key: name, value: value)], tag: 0x0a, texts, of: request)
    keys.append(name)
  }

  /// Whether the process says it already.
  func has(_ key: Text, _ others: TextBytes, of request: RawSpan) -> Bool {
    keys.contains { others.equal(key, $0, in: texts, of: request) }
  }
}
