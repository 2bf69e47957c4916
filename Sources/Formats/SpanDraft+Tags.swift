internal import TraceWire

extension SpanDraft {
  /// Takes a tag in as what it is in OTLP: an attribute of the span or of its resource, or a field of its own.
  mutating func take(_ key: Text, _ value: Value, of request: RawSpan) {
    let meaning = texts.meaning(of: key, in: request)
    switch meaning {
    case .attribute: break
    case .peer(let names): taken.formUnion(names)
    case .resource:
      resource.append(Attribute(key: key, value: value))
      return
    default: if takeField(meaning, value, of: request) { return }
    }
    attributes.append(Attribute(key: key, value: value))
  }

  /// Takes a tag that stands for a field of the span. False: its value says nothing that the field could hold.
  private mutating func takeField(_ meaning: TagMeaning, _ value: Value, of request: RawSpan) -> Bool {
    switch meaning {
    case .error: return takeError(value, of: request)
    case .droppedAttributes: return Self.count(value, texts, of: request).map { droppedAttributes = $0 } != nil
    case .droppedEvents: return Self.count(value, texts, of: request).map { droppedEvents = $0 } != nil
    case .droppedLinks: return Self.count(value, texts, of: request).map { droppedLinks = $0 } != nil
    default: break
    }
    guard case .text(let text) = value else { return false }
    switch meaning {
    case .statusCode: return takeStatusCode(text, of: request)
    case .statusDescription: status.description = text
    case .kind: return takeKind(text, of: request)
    case .traceState: traceState = text
    case .scopeName: scopeName = text
    case .scopeVersion: scopeVersion = text
    default: return false
    }
    return true
  }

  /// Zipkin's rule: the tag is there where the span failed, and says why if anything.
  private mutating func takeError(_ value: Value, of request: RawSpan) -> Bool {
    switch value {
    case .bool(true): status.isError = true
    case .text(let text):
      guard !texts.matches(text, "false", of: request) else { return false }
      status.isError = true
      if !texts.matches(text, "true", of: request) { status.errorText = text }
    default: return false
    }
    return true
  }

  private mutating func takeStatusCode(_ text: Text, of request: RawSpan) -> Bool {
    func isEither(_ name: StaticString, _ other: StaticString) -> Bool {
      texts.matches(text, name, of: request) || texts.matches(text, other, of: request)
    }
    if isEither("OK", "STATUS_CODE_OK") {
      status.code = .ok
    } else if isEither("ERROR", "STATUS_CODE_ERROR") {
      status.code = .error
    } else if isEither("UNSET", "STATUS_CODE_UNSET") {
      status.code = .unset
    } else {
      return false
    }
    return true
  }

  private mutating func takeKind(_ text: Text, of request: RawSpan) -> Bool {
    if texts.matches(text, "server", of: request) {
      kind = .server
    } else if texts.matches(text, "client", of: request) {
      kind = .client
    } else if texts.matches(text, "producer", of: request) {
      kind = .producer
    } else if texts.matches(text, "consumer", of: request) {
      kind = .consumer
    } else if texts.matches(text, "internal", of: request) {
      kind = .internal
    } else {
      return false
    }
    return true
  }

  /// A count as a number, or as the digits of one.
  private static func count(_ value: Value, _ texts: TextBytes, of request: RawSpan) -> UInt32? {
    switch value {
    case .int(let number): return UInt32(exactly: number)
    case .text(let text) where (1...10).contains(text.count):
      var number: UInt64 = 0
      for byte in texts.bytes(text, of: request) {
        guard (0x30...0x39).contains(byte) else { return nil }
        number = number &* 10 &+ UInt64(byte &- 0x30)
      }
      return UInt32(exactly: number)
    default: return nil
    }
  }
}
