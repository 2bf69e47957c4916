extension SpanFacts {
  /// Reads a span message into fresh facts and checks all that lies inside it.
  @inline(__always)
  mutating func read(_ body: ByteRange, of bytes: RawSpan, keys: borrowing AttributeKeys) throws(WireFault) {
    self.body = body
    traits = .invalid
    var hints = SpanHints()
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: readTraceID(try fields.delimited(), of: bytes)
      case 0x12: readSpanID(try fields.delimited(), of: bytes)
      case 0x1a: traceState = try fields.delimited()
      case 0x22: readParentID(try fields.delimited(), of: bytes)
      case 0x2a: _ = try fields.delimited()
      case 0x30: kind = Kind(wire: try fields.varint())
      case 0x39: start = try fields.fixed64()
      case 0x41: end = try fields.fixed64()
      case 0x4a:
        let attribute = try AttributeView.read(try fields.delimited(), of: bytes, depth: Depth.attribute)
        note(attribute, of: bytes, keys: keys, hints: &hints)
      case 0x5a:
        try AttributeView.checkAttributes(try fields.delimited(), of: bytes, tag: 0x1a, depth: Depth.attribute)
      case 0x6a:
        try AttributeView.checkAttributes(try fields.delimited(), of: bytes, tag: 0x22, depth: Depth.attribute)
      case 0x7a: try hints.readStatus(try fields.delimited(), of: bytes)
      case 0x85: flags = try fields.fixed32()
      default: try fields.skip(tag, depth: Depth.span)
      }
    }
    if hints.baggage.isInQuestion(keys.harmless) { traits.insert(.baggage) }
    finish(hints, of: bytes)
  }

  @inline(__always)
  private mutating func readTraceID(_ range: ByteRange, of bytes: RawSpan) {
    traceID = TraceID()
    if range.count == 16 {
      let lower = Int(range.lower)
      traceID = TraceID(high: bytes.bigEndian64(at: lower), low: bytes.bigEndian64(at: lower &+ 8))
    }
    if traceID.isValid { traits.remove(.invalidTraceID) } else { traits.insert(.invalidTraceID) }
  }

  @inline(__always)
  private mutating func readSpanID(_ range: ByteRange, of bytes: RawSpan) {
    spanID = range.count == 8 ? SpanID(bytes.bigEndian64(at: Int(range.lower))) : SpanID()
    if spanID.isValid { traits.remove(.invalidSpanID) } else { traits.insert(.invalidSpanID) }
  }

  @inline(__always)
  private mutating func readParentID(_ range: ByteRange, of bytes: RawSpan) {
    parentID = range.count == 8 ? SpanID(bytes.bigEndian64(at: Int(range.lower))) : SpanID()
  }

  /// Takes from an attribute what the facts want of it.
  @inline(__always)
  private mutating func note(
    _ attribute: AttributeView, of bytes: RawSpan, keys: borrowing AttributeKeys, hints: inout SpanHints
  ) {
    let match = keys.match(attribute.key, in: bytes)
    if match.isBaggage || keys.hasPrefix(attribute.key, in: bytes) {
      hints.baggage.note(attribute, isHeader: match.isHeader)
    }
    if match.fact != .none { fill(match, attribute, of: bytes, hints: &hints) }
  }

  @inline(never)
  private mutating func fill(_ match: KeyMatch, _ attribute: AttributeView, of bytes: RawSpan, hints: inout SpanHints) {
    switch match.fact {
    case .error: if attribute.isTrue(in: bytes) { traits.insert(.error) }
    case .httpStatus: if attribute.isServerFailure(in: bytes) { hints.isServerFailure = true }
    case .calleeRegion: hints.calleeRegion.offer(attribute, match.rank, to: &calleeRegion)
    case .callerRegion: hints.callerRegion.offer(attribute, match.rank, to: &callerRegion)
    case .calleeHost: hints.calleeHost.offer(attribute, match.rank, to: &calleeHost)
    case .calleeURL:
      guard attribute.kind == .string, hints.calleeHost.isWorse(than: match.rank) else { return }
      var host = attribute
      host.text = URLHost.find(attribute.text, in: bytes)
      hints.calleeHost.offer(host, match.rank, to: &calleeHost)
    case .callerHost: hints.callerHost.offer(attribute, match.rank, to: &callerHost)
    case .peerAddress: hints.peerAddress.offer(attribute, match.rank, to: &peerAddress)
    case .none, .service, .region: break
    }
  }

  @inline(__always)
  private mutating func finish(_ hints: SpanHints, of bytes: RawSpan) {
    let isCall = kind == .server || kind == .client
    if hints.status == 2 || (isCall && hints.isServerFailure) { traits.insert(.error) }
    randomness = traceID.low & 0xff_ffff_ffff_ffff
    if !traceState.isEmpty { readTraceState(of: bytes) }
  }

  private mutating func readTraceState(of bytes: RawSpan) {
    let state = OTTraceState.read(traceState, of: bytes)
    if state.hasOT { traits.insert(.hasOT) }
    if let threshold = state.threshold {
      traits.insert(.hasThreshold)
      self.threshold = threshold
    }
    if let randomness = state.randomness {
      traits.insert(.hasRandomness)
      self.randomness = randomness
    }
  }
}

/// What is known of a span only until its last byte is read: the ranks of what was found, and what waits for the kind.
private struct SpanHints {
  var calleeRegion = Rank()
  var callerRegion = Rank()
  var calleeHost = Rank()
  var callerHost = Rank()
  var peerAddress = Rank()
  var isServerFailure = false
  var status: Int32 = 0
  var baggage = BaggageHints()

  @inline(__always)
  mutating func readStatus(_ range: ByteRange, of bytes: RawSpan) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x18 {
        status = Int32(truncatingIfNeeded: try fields.varint())
      } else {
        try fields.skip(tag, depth: Depth.attribute)
      }
    }
  }
}

/// How much baggage a span has.
private struct BaggageHints {
  private var count = 0
  private var longest = 0

  @inline(__always)
  mutating func note(_ attribute: AttributeView, isHeader: Bool) {
    count &+= 1
    let isEntry = attribute.kind == .string && !isHeader
    longest = isEntry ? max(longest, attribute.key.count &+ attribute.text.count) : .max
  }

  @inline(__always)
  func isInQuestion(_ harmless: AttributeKeys.Harmless) -> Bool {
    count > 0 && (count > harmless.count || longest > harmless.length)
  }
}

/// The rank of the best value found so far; lower is better, and of equal ones the first stays.
struct Rank {
  private var best = UInt8.max

  /// Whether a value of this rank would still be taken.
  func isWorse(than rank: UInt8) -> Bool { rank < best }

  /// Takes the attribute's string into the fact where it is better than what is there.
  mutating func offer(_ attribute: AttributeView, _ rank: UInt8, to fact: inout ByteRange) {
    guard attribute.kind == .string, !attribute.text.isEmpty, rank < best else { return }
    best = rank
    fact = attribute.text
  }
}

/// How deep the messages of a request lie, the request itself being 1.
enum Depth {
  static let request = 1
  static let resourceSpans = 2
  static let resource = 3
  static let scopeSpans = 3
  static let scope = 4
  static let span = 4
  /// Attributes, events, links and the status of a span.
  static let attribute = 5
}

extension SpanFacts.Kind {
  /// The kind of an enum value on the wire, of which the low 32 bits count; what is not known is unspecified.
  @inline(__always)
  package init(wire value: UInt64) {
    let number = UInt32(truncatingIfNeeded: value)
    self = number <= 5 ? Self(rawValue: UInt8(truncatingIfNeeded: number)) ?? .unspecified : .unspecified
  }
}
