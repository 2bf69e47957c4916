extension RequestFacts {
  /// Forgets the last request and reads this one, an encoded `ExportTraceServiceRequest`. The whole structure is
  /// checked down to the last nested value; text may be any bytes. After a fault the facts mean nothing.
  ///
  /// Offsets are 32 bits: a buffer of 4 GiB or more is refused.
  /// - Parameter census: What was counted before, so that room is made once and for exactly that.
  public mutating func walk(
    _ bytes: RawSpan, keys: AttributeKeys, census: RequestCensus? = nil
  ) throws(WireFault) {
    removeAll()
    if let census { reserve(census) }
    guard bytes.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var fields = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      if tag == 0x0a {
        let body = try fields.delimited()
        try readResourceSpans(body, record: ByteRange(start, fields.position), of: bytes, keys: keys)
      } else {
        try fields.skip(tag, depth: Depth.request)
      }
    }
  }

  private mutating func readResourceSpans(
    _ body: ByteRange, record: ByteRange, of bytes: RawSpan, keys: AttributeKeys
  ) throws(WireFault) {
    var facts = ResourceFacts()
    facts.record = record
    facts.body = body
    let index = resources.count
    resources.append(facts)
    let firstScope = UInt32(truncatingIfNeeded: scopes.count)
    let firstSpan = UInt32(truncatingIfNeeded: spans.count)
    let firstGap = resourceGaps.count
    var regionRank = Rank()
    var serviceRank = Rank()
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      switch tag {
      case 0x12:
        let scope = try fields.delimited()
        try readScopeSpans(
          scope, record: ByteRange(start, fields.position), resource: UInt32(truncatingIfNeeded: index), of: bytes,
          keys: keys)
        continue
      case 0x0a:
        if !facts.resourceRecord.isEmpty { isInPieces = true }
        facts.resource = try fields.delimited()
        facts.resourceRecord = ByteRange(start, fields.position)
        try facts.readResource(of: bytes, keys: keys, region: &regionRank, service: &serviceRank)
      default: try fields.skip(tag, depth: Depth.resourceSpans)
      }
      resourceGaps.noteGap(ByteRange(start, fields.position), since: firstGap)
    }
    facts.scopes = firstScope..<UInt32(truncatingIfNeeded: scopes.count)
    facts.spans = firstSpan..<UInt32(truncatingIfNeeded: spans.count)
    facts.gaps = UInt32(truncatingIfNeeded: firstGap)..<UInt32(truncatingIfNeeded: resourceGaps.count)
    resources[index] = facts
  }

  private mutating func readScopeSpans(
    _ body: ByteRange, record: ByteRange, resource: UInt32, of bytes: RawSpan, keys: AttributeKeys
  ) throws(WireFault) {
    var facts = ScopeFacts()
    facts.record = record
    facts.body = body
    facts.resource = resource
    let index = UInt32(truncatingIfNeeded: scopes.count)
    scopes.append(facts)
    let firstSpan = UInt32(truncatingIfNeeded: spans.count)
    let firstGap = scopeGaps.count
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      switch tag {
      case 0x12:
        let span = try fields.delimited()
        var spanFacts = SpanFacts()
        spanFacts.record = ByteRange(start, fields.position)
        spanFacts.resource = resource
        spanFacts.scope = index
        if isLong { LongWork.step(spans.count) }
        // Read where it stays: the facts of a span are too many to be moved.
        spans.append(spanFacts)
        try spans[spans.count &- 1].read(span, of: bytes, keys: keys)
        continue
      case 0x0a:
        if !facts.scopeRecord.isEmpty { isInPieces = true }
        facts.scope = try fields.delimited()
        facts.scopeRecord = ByteRange(start, fields.position)
        try AttributeView.checkAttributes(facts.scope, of: bytes, tag: 0x1a, depth: Depth.scope)
      default: try fields.skip(tag, depth: Depth.scopeSpans)
      }
      scopeGaps.noteGap(ByteRange(start, fields.position), since: firstGap)
    }
    facts.spans = firstSpan..<UInt32(truncatingIfNeeded: spans.count)
    facts.gaps = UInt32(truncatingIfNeeded: firstGap)..<UInt32(truncatingIfNeeded: scopeGaps.count)
    scopes[Int(index)] = facts
  }
}

extension ResourceFacts {
  /// Reads the `Resource` message last found. Of several resources in one `ResourceSpans` all attributes count, as
  /// protobuf merges them.
  fileprivate mutating func readResource(
    of bytes: RawSpan, keys: AttributeKeys, region regionRank: inout Rank, service serviceRank: inout Rank
  ) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: resource)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a:
        let attribute = try AttributeView.read(try fields.delimited(), of: bytes, depth: Depth.resource &+ 1)
        let match = keys.match(attribute.key, in: bytes)
        if match.fact == .region { regionRank.offer(attribute, match.rank, to: &region) }
        if match.fact == .service { serviceRank.offer(attribute, match.rank, to: &service) }
      case 0x1a:  // An entity reference holds nothing but strings: no field of it is an attribute.
        try AttributeView.checkAttributes(try fields.delimited(), of: bytes, tag: .max, depth: Depth.resource &+ 1)
      default: try fields.skip(tag, depth: Depth.resource)
      }
    }
  }
}

extension [ByteRange] {
  /// Adds a field to the gaps of one message, the first of which has index `first`; neighbours become one.
  fileprivate mutating func noteGap(_ field: ByteRange, since first: Int) {
    if count > first, self[count &- 1].upper == field.lower {
      self[count &- 1].upper = field.upper
    } else {
      append(field)
    }
  }
}
