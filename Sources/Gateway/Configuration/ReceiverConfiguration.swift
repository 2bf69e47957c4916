/// OTLP's two endpoints. One that is not named is not opened.
public struct OTLPReceiverConfiguration: Sendable, Equatable {
  public var grpc: ListenerConfiguration?
  /// HTTP/1.1 and HTTP/2 in clear text on one port.
  public var http: ListenerConfiguration?

  /// Endpoints.
  public init(grpc: ListenerConfiguration? = nil, http: ListenerConfiguration? = nil) {
    self.grpc = grpc
    self.http = http
  }
}

/// Jaeger's two endpoints. Not served yet.
public struct JaegerReceiverConfiguration: Sendable, Equatable {
  public var grpc: ListenerConfiguration?
  public var thriftHTTP: ListenerConfiguration?

  /// Endpoints.
  public init(grpc: ListenerConfiguration? = nil, thriftHTTP: ListenerConfiguration? = nil) {
    self.grpc = grpc
    self.thriftHTTP = thriftHTTP
  }
}

/// What a relay listens on.
public struct RelayReceiversConfiguration: Sendable, Equatable {
  public var otlp = OTLPReceiverConfiguration()
  /// Not served yet.
  public var zipkin: ListenerConfiguration?
  /// Not served yet.
  public var jaeger = JaegerReceiverConfiguration()

  public init() {}
}

/// What an aggregator listens on.
public struct AggregatorReceiversConfiguration: Sendable, Equatable {
  public var otlp = OTLPReceiverConfiguration()

  public init() {}
}

extension OTLPReceiverConfiguration {
  static func read(_ section: SectionReader) -> OTLPReceiverConfiguration? {
    var value = OTLPReceiverConfiguration()
    let protocols = section.required("protocols", "allowed: grpc, http")
    _ = protocols?.section { protocols in
      value.grpc = protocols.namedSection("grpc", ListenerConfiguration.receiver(4317))
      value.http = protocols.namedSection("http", ListenerConfiguration.receiver(4318))
    }
    if let protocols, case .mapping(let members) = protocols.node.content, members.isEmpty {
      protocols.fail("must name at least one of grpc, http")
    }
    return value
  }
}

extension JaegerReceiverConfiguration {
  static func read(_ section: SectionReader) -> JaegerReceiverConfiguration? {
    var value = JaegerReceiverConfiguration()
    _ = section.required("protocols", "allowed: grpc, thrift_http")?.section { protocols in
      value.grpc = protocols.namedSection("grpc", ListenerConfiguration.receiver(14250))
      value.thriftHTTP = protocols.namedSection("thrift_http", ListenerConfiguration.receiver(14268))
    }
    return value
  }
}

extension RelayReceiversConfiguration {
  static func read(_ section: SectionReader) -> RelayReceiversConfiguration? {
    var value = RelayReceiversConfiguration()
    value.otlp = section.namedSection("otlp", OTLPReceiverConfiguration.read) ?? value.otlp
    value.zipkin = section.namedSection("zipkin", ListenerConfiguration.receiver(9411))
    value.jaeger = section.namedSection("jaeger", JaegerReceiverConfiguration.read) ?? value.jaeger
    for key in ["zipkin", "jaeger"] { section[key]?.warn("is not served by this version") }
    return value
  }
}

extension AggregatorReceiversConfiguration {
  static func read(_ section: SectionReader) -> AggregatorReceiversConfiguration? {
    var value = AggregatorReceiversConfiguration()
    value.otlp = section.namedSection("otlp", OTLPReceiverConfiguration.read) ?? value.otlp
    return value
  }
}
