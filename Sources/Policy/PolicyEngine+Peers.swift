internal import TraceWire

/// Which region a span's peer is in: by the attribute that names it, else by its host, else by its address.
extension PolicyEngine {
  /// The attributes that name a callee's host, in rank order; the last is a URL.
  private static let calleeHostKeys = ["server.address", "net.peer.name", "peer.service", "url.full"].map {
    Array($0.utf8)
  }

  /// The region a client or producer span calls.
  @inline(__always)
  mutating func callee(of span: borrowing SpanFacts, in bytes: RawSpan) -> RegionID? {
    if !span.calleeRegion.isEmpty { return interner.intern(span.calleeRegion, of: bytes) }
    guard !policy.rules.isEmpty else { return nil }
    if let region = hosts.region(span.calleeHost, of: bytes) { return region }
    if let region = calleeByOtherHosts(span, in: bytes) { return region }
    return hosts.region(span.peerAddress, of: bytes)
  }

  /// The region that calls a server or consumer span.
  @inline(__always)
  mutating func caller(of span: borrowing SpanFacts, in bytes: RawSpan) -> RegionID? {
    if !span.callerRegion.isEmpty { return interner.intern(span.callerRegion, of: bytes) }
    if let region = hosts.region(span.callerHost, of: bytes) { return region }
    return hosts.region(span.peerAddress, of: bytes)
  }

  /// The walk's facts hold the first host in rank. Where no rule knows that one (a service's name, say), the others are
  /// looked up in the span itself.
  @inline(never)
  private mutating func calleeByOtherHosts(_ span: borrowing SpanFacts, in bytes: RawSpan) -> RegionID? {
    guard !span.calleeHost.isEmpty else { return nil }
    var best: (rank: Int, region: RegionID)?
    var attributes = SpanAttributes(span.body, of: bytes)
    while let attribute = try? attributes.next() {
      guard let text = attribute.string,
        let rank = Self.calleeHostKeys.firstIndex(where: { bytes.equals(attribute.key, $0) }),
        rank < best?.rank ?? .max
      else { continue }
      let host = rank == Self.calleeHostKeys.count - 1 ? URLHost.find(text, in: bytes) : text
      if let region = hosts.region(host, of: bytes) { best = (rank, region) }
    }
    return best?.region
  }
}
