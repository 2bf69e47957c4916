internal import TraceWire

/// What stands around a span in its request.
struct OTLPSurroundings {
  /// The resource's messages: one, or several that make one.
  var resource: [ByteRange] = []
  /// `service.name`, empty where there is none.
  var service = ByteRange()
  /// The scope's messages, likewise.
  var scope: [ByteRange] = []
  var scopeName = ByteRange()
  var scopeVersion = ByteRange()

  fileprivate mutating func readResource(of bytes: RawSpan) throws(WireFault) {
    for part in resource {
      var attributes = OTLPAttributes(part, of: bytes, .resource, depth: OTLPSpan.Depth.resource)
      while let attribute = try attributes.next() {
        guard service.isEmpty, attribute.value.kind == .text else { continue }
        if attribute.key.matches("service.name", in: bytes) { service = attribute.value.range }
      }
    }
  }

  fileprivate mutating func readScope(of bytes: RawSpan) throws(WireFault) {
    scopeName = ByteRange()
    scopeVersion = ByteRange()
    for part in scope {
      var fields = ProtobufCursor(bytes, in: part)
      while fields.hasMore {
        let tag = try fields.tag()
        switch tag {
        case 0x0a: scopeName = try fields.delimited()
        case 0x12: scopeVersion = try fields.delimited()
        default: try fields.skip(tag, depth: OTLPSpan.Depth.scope)
        }
      }
    }
  }
}

/// Writes a request's spans in another format, one after the other.
protocol OTLPSpanWriter {
  /// Writes a span whose IDs are valid.
  mutating func write(_ span: OTLPSpan, in surroundings: OTLPSurroundings, of request: RawSpan) throws(WireFault)
}

extension OTLPSpanWriter {
  /// Writes all spans of a request; those without valid IDs are passed over.
  mutating func writeAll(_ request: RawSpan) throws(WireFault) {
    guard request.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var resources = OTLPMessages(ByteRange(0, request.byteCount), of: request, tag: 0x0a, depth: 1)
    while let resource = try resources.next() {
      var surroundings = OTLPSurroundings()
      surroundings.resource = try Self.parts(of: resource, in: request, depth: 2)
      try surroundings.readResource(of: request)
      var scopes = OTLPMessages(resource, of: request, tag: 0x12, depth: 2)
      while let scope = try scopes.next() {
        surroundings.scope = try Self.parts(of: scope, in: request, depth: 3)
        try surroundings.readScope(of: request)
        var spans = OTLPMessages(scope, of: request, tag: 0x12, depth: 3)
        while let body = try spans.next() {
          let span = try OTLPSpan(body, of: request)
          if span.isValid { try write(span, in: surroundings, of: request) }
        }
      }
    }
  }

  /// Resource and scope are the first field of the message they are in. Empty ones say nothing.
  private static func parts(of message: ByteRange, in bytes: RawSpan, depth: Int) throws(WireFault) -> [ByteRange] {
    var parts: [ByteRange] = []
    var messages = OTLPMessages(message, of: bytes, tag: 0x0a, depth: depth)
    while let part = try messages.next() {
      if !part.isEmpty { parts.append(part) }
    }
    return parts
  }
}

/// The members of a JSON object that attributes become: each name once, the first one counts.
struct UniqueNames {
  /// Members of one object; what is more is left out.
  static let namesMax = 4096

  /// Keyed with the process's secret: two names of one number do not happen.
  private var digests: Set<Int> = []
  /// How many were left out because the object was full.
  private(set) var leftOut: UInt32 = 0

  mutating func removeAll() {
    digests.removeAll(keepingCapacity: true)
    leftOut = 0
  }

  /// Whether the name at the end of the bytes, as it was written there, is a new one.
  mutating func insert(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard digests.count < Self.namesMax else {
      leftOut = leftOut == .max ? .max : leftOut &+ 1
      return false
    }
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    return digests.insert(hasher.finalize()).inserted
  }
}

/// How many bytes a translation may spend on saying again for each span what a request says once for many (resource
/// and scope). Past it only the span's own is written and what is short: a request must not become out of all
/// proportion large.
struct RepetitionBudget {
  private static let shortMax = 64
  private var bytesLeft: Int

  init(requestBytes: Int) { bytesLeft = (4 << 20) &+ 8 &* requestBytes }

  /// Whether a part of the request may be written once more.
  mutating func allows(_ part: ByteRange) -> Bool {
    if part.count <= Self.shortMax { return true }
    guard bytesLeft > 0 else { return false }
    bytesLeft &-= part.count
    return true
  }

  /// Whether a message may be read for its attributes once more.
  mutating func allowsReading(_ message: ByteRange) -> Bool {
    guard bytesLeft > 0 else { return false }
    bytesLeft &-= message.count
    return true
  }
}
