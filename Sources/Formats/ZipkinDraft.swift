internal import TraceWire

/// What the Zipkin formats share: a span with endpoints, times in microseconds, and a half that may be shared.
struct ZipkinDraft {
  var span = SpanDraft()
  var local = Endpoint()
  var remote = Endpoint()
  /// Microseconds since the Unix epoch; 0 where the emitter did not know.
  var timestamp: UInt64 = 0
  var duration: UInt64 = 0
  var isDebug = false
  var isShared = false

  /// Forgets the span and keeps the room.
  mutating func removeAll() {
    span.removeAll()
    local = Endpoint()
    remote = Endpoint()
    timestamp = 0
    duration = 0
    isDebug = false
    isShared = false
  }

  mutating func annotate(_ timestamp: UInt64, _ value: Text, of request: RawSpan) {
    span.appendEvent(at: timestamp.nanosecondsOfMicroseconds, value, of: request)
  }

  /// Settles what the fields say together, and writes the span.
  mutating func finish(into output: inout RequestDraft, of request: RawSpan) throws(WireFault) {
    // A span without a time began when the first thing was noted of it.
    let start = timestamp == 0 ? span.events.lazy.map(\.time).min() ?? 0 : timestamp.nanosecondsOfMicroseconds
    span.start = start
    span.end = start.addingClamped(duration.nanosecondsOfMicroseconds)
    // Only what was sampled is reported; B3's debug flag says so, too.
    if isDebug { span.flags = 1 }
    if span.parentID == span.spanID { span.parentID = SpanID() }
    let service = span.texts.digest(local.service, of: request)
    if isShared, span.kind == .server || span.kind == .unspecified, span.spanID.isValid {
      span.kind = .server
      let half = SharedSpan(traceID: span.traceID, spanID: span.spanID, service: service)
      span.parentID = span.spanID
      span.spanID = half.serverID
      span.take(local: local, remote: remote, of: request)
      // The child of the client's half, whatever its service: it must not become its own.
      try output.append(span, of: request)
      if !local.service.isEmpty { output.note(half, newID: half.serverID) }
    } else {
      span.take(local: local, remote: remote, of: request)
      try output.append(span, service: local.service.isEmpty ? nil : service, of: request)
    }
  }
}

extension UInt64 {
  /// Microseconds as nanoseconds, as far as those go.
  var nanosecondsOfMicroseconds: UInt64 {
    let (product, hasOverflown) = multipliedReportingOverflow(by: 1000)
    return hasOverflown ? .max : product
  }

  /// The sum, as far as numbers go.
  func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, hasOverflown) = addingReportingOverflow(other)
    return hasOverflown ? .max : sum
  }
}
