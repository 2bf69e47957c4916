internal import TraceWire

/// What a tag's name says about what the tag is, in OTLP.
enum TagMeaning {
  case attribute
  /// An attribute under a name that an endpoint may be written under, too.
  case peer(PeerNames)
  case resource
  case error
  case statusCode
  case statusDescription
  case kind
  case traceState
  case scopeName
  case scopeVersion
  case droppedAttributes
  case droppedEvents
  case droppedLinks

  /// Names that endpoints are written under.
  struct PeerNames: OptionSet {
    let rawValue: UInt8
    static let service = PeerNames(rawValue: 1)
    static let serverAddress = PeerNames(rawValue: 2)
    static let serverPort = PeerNames(rawValue: 4)
    static let clientAddress = PeerNames(rawValue: 8)
    static let clientPort = PeerNames(rawValue: 16)
    static let networkAddress = PeerNames(rawValue: 32)
    static let networkPort = PeerNames(rawValue: 64)
  }
}

extension TextBytes {
  /// The meaning of a tag's name. OpenTelemetry's exporters write a resource's attributes as tags of every span, under
  /// the names that the semantic conventions keep for resources; so do users who have no other way to name a region.
  func meaning(of key: Text, in request: RawSpan) -> TagMeaning {
    guard !key.isEmpty else { return .attribute }
    func isAny(_ names: StaticString...) -> Bool { names.contains { matches(key, $0, of: request) } }
    func has(_ prefix: StaticString) -> Bool { starts(key, with: prefix, of: request) }
    switch firstByte(key, of: request) {
    case UInt8(ascii: "a"): return has("aws.ecs.") || has("aws.eks.") || has("aws.log.") ? .resource : .attribute
    case UInt8(ascii: "c"):
      if has("client.") { return clientName(key, in: request) }
      return has("cloud.") || has("container.") ? .resource : .attribute
    case UInt8(ascii: "d"): return has("deployment.") || has("device.") ? .resource : .attribute
    case UInt8(ascii: "e"): return has("error") && key.count == 5 ? .error : .attribute
    case UInt8(ascii: "f"):
      return has("faas.") && isAny("faas.name", "faas.id", "faas.version", "faas.instance")
        ? .resource : .attribute
    case UInt8(ascii: "h"): return has("host.") ? .resource : .attribute
    case UInt8(ascii: "k"): return has("k8s.") ? .resource : .attribute
    case UInt8(ascii: "n"): return has("network.peer.") ? networkName(key, in: request) : .attribute
    case UInt8(ascii: "o"): return has("os.") ? .resource : has("otel.") ? ownName(key, in: request) : .attribute
    case UInt8(ascii: "p"):
      if has("peer.service"), key.count == 12 { return .peer(.service) }
      return has("process.") ? .resource : .attribute
    case UInt8(ascii: "r"): return has("region") && key.count == 6 ? .resource : .attribute
    case UInt8(ascii: "s"): return has("se") || has("sp") ? serviceName(key, in: request) : .attribute
    case UInt8(ascii: "t"):
      return has("telemetry.") || isAny("topology.kubernetes.io/region") ? .resource : .attribute
    case UInt8(ascii: "w"): return isAny("w3c.tracestate") ? .traceState : has("webengine.") ? .resource : .attribute
    default: return .attribute
    }
  }

  private func clientName(_ key: Text, in request: RawSpan) -> TagMeaning {
    if matches(key, "client.address", of: request) { return .peer(.clientAddress) }
    return matches(key, "client.port", of: request) ? .peer(.clientPort) : .attribute
  }

  private func networkName(_ key: Text, in request: RawSpan) -> TagMeaning {
    if matches(key, "network.peer.address", of: request) { return .peer(.networkAddress) }
    return matches(key, "network.peer.port", of: request) ? .peer(.networkPort) : .attribute
  }

  private func serviceName(_ key: Text, in request: RawSpan) -> TagMeaning {
    switch key.count {
    case 9: return matches(key, "span.kind", of: request) ? .kind : .attribute
    case 11: return matches(key, "server.port", of: request) ? .peer(.serverPort) : .attribute
    case 12: return matches(key, "service.name", of: request) ? .resource : .attribute
    case 14: return matches(key, "server.address", of: request) ? .peer(.serverAddress) : .attribute
    case 15: return matches(key, "service.version", of: request) ? .resource : .attribute
    case 17: return matches(key, "service.namespace", of: request) ? .resource : .attribute
    case 19: return matches(key, "service.instance.id", of: request) ? .resource : .attribute
    default: return .attribute
    }
  }

  private func ownName(_ key: Text, in request: RawSpan) -> TagMeaning {
    if matches(key, "otel.scope.name", of: request) { return .scopeName }
    if matches(key, "otel.scope.version", of: request) { return .scopeVersion }
    if matches(key, "otel.library.name", of: request) { return .scopeName }
    if matches(key, "otel.library.version", of: request) { return .scopeVersion }
    if matches(key, "otel.status_code", of: request) { return .statusCode }
    if matches(key, "otel.status_description", of: request) { return .statusDescription }
    if matches(key, "otel.dropped_attributes_count", of: request) { return .droppedAttributes }
    if matches(key, "otel.dropped_events_count", of: request) { return .droppedEvents }
    return matches(key, "otel.dropped_links_count", of: request) ? .droppedLinks : .attribute
  }
}
