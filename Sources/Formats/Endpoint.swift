internal import TraceWire

/// A Zipkin endpoint as it was read.
struct Endpoint {
  var service = Text()
  /// As text; IPv4 where both were given.
  var address = Text()
  var port: UInt16 = 0
}

extension SpanDraft {
  /// Writes the endpoints as attributes and resource, where no tag has said it already, and settles what Zipkin leaves
  /// open: a span without a kind is an internal one.
  mutating func take(local: Endpoint, remote: Endpoint, of request: RawSpan) {
    if kind == .unspecified { kind = .internal }
    if !local.service.isEmpty, !hasServiceName(of: request) {
      resource.append(made("service.name", .text(local.service)))
    }
    if !local.address.isEmpty { add("network.local.address", .text(local.address)) }
    if local.port != 0 { add("network.local.port", .int(Int64(local.port))) }
    if !remote.service.isEmpty, !taken.contains(.service) { add("peer.service", .text(remote.service)) }
    switch kind {
    case .client, .producer:
      take(remote, "server.address", .serverAddress, "server.port", .serverPort)
    case .server, .consumer:
      take(remote, "client.address", .clientAddress, "client.port", .clientPort)
    case .internal, .unspecified:
      take(remote, "network.peer.address", .networkAddress, "network.peer.port", .networkPort)
    }
  }

  private mutating func take(
    _ remote: Endpoint, _ addressKey: StaticString, _ address: TagMeaning.PeerNames, _ portKey: StaticString,
    _ port: TagMeaning.PeerNames
  ) {
    // A port without its address would be another host's.
    guard !remote.address.isEmpty, !taken.contains(address) else { return }
    add(addressKey, .text(remote.address))
    if remote.port != 0, !taken.contains(port) { add(portKey, .int(Int64(remote.port))) }
  }

  private func hasServiceName(of request: RawSpan) -> Bool {
    resource.contains { texts.matches($0.key, "service.name", of: request) }
  }

  /// Adds an attribute under a name of ours.
  private mutating func add(_ key: StaticString, _ value: Value) { attributes.append(made(key, value)) }

  /// An attribute under a name of ours.
  private mutating func made(_ key: StaticString, _ value: Value) -> Attribute {
    Attribute(key: texts.make { made in key.withUTF8Buffer { made.append(contentsOf: $0) } }, value: value)
  }
}
