internal import TraceWire

/// A v1 span that is being read: what its annotations say of client, server and messages, and the rest.
struct ZipkinV1Draft {
  struct Annotation {
    var time: UInt64 = 0
    var value = Text()
    var endpoint = Endpoint()
  }

  struct Tag {
    var key = Text()
    var value = Text()
    var endpoint = Endpoint()
  }

  /// One side of a call: when it began and ended, in microseconds, and whose it is.
  private struct Side {
    var start: Annotation?
    var end: Annotation?

    var isPresent: Bool { start != nil || end != nil }
    var endpoint: Endpoint { start?.endpoint ?? end?.endpoint ?? Endpoint() }
    var timestamp: UInt64 { start?.time ?? 0 }
    var duration: UInt64 {
      guard let start, let end, end.time > start.time else { return 0 }
      return end.time &- start.time
    }
  }

  /// The span's own fields; all texts lie here.
  var main = ZipkinDraft()
  private var client = Side()
  private var server = Side()
  private var sent = Side()
  private var received = Side()
  private var serverAddress: Endpoint?
  private var clientAddress: Endpoint?
  private var messageAddress: Endpoint?
  private var annotations: [Annotation] = []
  private var tags: [Tag] = []

  mutating func removeAll() {
    main.removeAll()
    (client, server, sent, received) = (Side(), Side(), Side(), Side())
    (serverAddress, clientAddress, messageAddress) = (nil, nil, nil)
    annotations.removeAll(keepingCapacity: true)
    tags.removeAll(keepingCapacity: true)
  }

  mutating func take(_ annotation: Annotation, of json: RawSpan) {
    func isCore(_ name: StaticString) -> Bool { main.span.texts.matches(annotation.value, name, of: json) }
    guard annotation.value.count == 2 else { return annotations.append(annotation) }
    if isCore("cs") {
      client.start = annotation
    } else if isCore("cr") {
      client.end = annotation
    } else if isCore("sr") {
      server.start = annotation
    } else if isCore("ss") {
      server.end = annotation
    } else if isCore("ms") {
      sent.start = annotation
    } else if isCore("mr") {
      received.start = annotation
    } else {
      annotations.append(annotation)
    }
  }

  mutating func take(_ tag: Tag, of json: RawSpan) {
    func isCore(_ name: StaticString) -> Bool { main.span.texts.matches(tag.key, name, of: json) }
    guard tag.key.count == 2 else { return tags.append(tag) }
    if isCore("sa") {
      serverAddress = tag.endpoint
    } else if isCore("ca") {
      clientAddress = tag.endpoint
    } else if isCore("ma") {
      messageAddress = tag.endpoint
    } else {
      tags.append(tag)
    }
  }

  /// Writes the span, or both halves of it.
  mutating func finish(into output: inout RequestDraft, of json: RawSpan) throws(WireFault) {
    if client.isPresent, server.isPresent, !isWithinOneService(json) {
      try finishBoth(into: &output, of: json)
      return
    }
    var side = client
    if client.isPresent, server.isPresent {
      main.span.kind = .internal
    } else if client.isPresent {
      main.span.kind = .client
      main.remote = serverAddress ?? Endpoint()
    } else if server.isPresent {
      side = server
      main.span.kind = .server
      main.remote = clientAddress ?? Endpoint()
      // v1 has no other way to say it: the client's half has the times.
      main.isShared = main.timestamp == 0
    } else if sent.isPresent || received.isPresent {
      side = sent.isPresent ? sent : received
      main.span.kind = sent.isPresent ? .producer : .consumer
      main.remote = messageAddress ?? Endpoint()
    } else {
      main.remote = serverAddress ?? clientAddress ?? Endpoint()
    }
    main.local = side.isPresent ? side.endpoint : firstEndpoint
    if main.timestamp == 0 { main.timestamp = side.timestamp }
    if main.duration == 0 { main.duration = side.duration }
    try write(main, annotations, tags, into: &output, of: json)
  }

  /// Whether both sides of the call are the same: the way to write a span within a service, of py_zipkin for one.
  private func isWithinOneService(_ json: RawSpan) -> Bool {
    let texts = main.span.texts
    return client.timestamp == server.timestamp && client.duration == server.duration
      && texts.equal(client.endpoint.service, server.endpoint.service, in: texts, of: json)
  }

  /// The first endpoint with a name, for a span that says nothing of its side.
  private var firstEndpoint: Endpoint {
    annotations.lazy.map(\.endpoint).first { !$0.service.isEmpty } ?? tags.lazy.map(\.endpoint).first {
      !$0.service.isEmpty
    } ?? Endpoint()
  }

  private func finishBoth(into output: inout RequestDraft, of json: RawSpan) throws(WireFault) {
    var front = main
    front.span.kind = .client
    front.local = client.endpoint
    front.remote = serverAddress ?? server.endpoint
    if front.timestamp == 0 { front.timestamp = client.timestamp }
    if front.duration == 0 { front.duration = client.duration }
    var back = main
    back.span.kind = .server
    back.isShared = true
    back.local = server.endpoint
    back.remote = clientAddress ?? client.endpoint
    back.timestamp = server.timestamp
    back.duration = server.duration
    let texts = main.span.texts
    let isLoop = texts.equal(front.local.service, back.local.service, in: texts, of: json)
    func isBack(_ endpoint: Endpoint) -> Bool {
      !isLoop && !endpoint.service.isEmpty && texts.equal(endpoint.service, back.local.service, in: texts, of: json)
    }
    try write(
      front, annotations.filter { !isBack($0.endpoint) }, tags.filter { !isBack($0.endpoint) }, into: &output, of: json)
    try write(
      back, annotations.filter { isBack($0.endpoint) }, tags.filter { isBack($0.endpoint) }, into: &output, of: json)
  }

  private func write(
    _ span: ZipkinDraft, _ annotations: [Annotation], _ tags: [Tag], into output: inout RequestDraft, of json: RawSpan
  ) throws(WireFault) {
    var span = span
    for annotation in annotations { span.annotate(annotation.time, annotation.value, of: json) }
    for tag in tags {
      if span.span.texts.matches(tag.key, "lc", of: json) {
        guard !tag.value.isEmpty else { continue }
        let key = span.span.texts.make { $0.append(contentsOf: "component".utf8) }
        span.span.take(key, .text(tag.value), of: json)
      } else {
        span.span.take(tag.key, .text(tag.value), of: json)
      }
    }
    try span.finish(into: &output, of: json)
  }
}
