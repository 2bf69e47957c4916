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

/// Jaeger's endpoints. One that is not named is not opened.
public struct JaegerReceiverConfiguration: Sendable, Equatable {
  /// Takes spans, and tells samplers what to keep, as Jaeger's own collector does on one port.
  public var grpc: ListenerConfiguration?
  public var thriftHTTP: ListenerConfiguration?
  /// Tells samplers what to keep (`remote_sampling`), for relays.
  public var samplingGRPC: ListenerConfiguration?
  public var samplingHTTP: ListenerConfiguration?

  /// Endpoints.
  public init(grpc: ListenerConfiguration? = nil, thriftHTTP: ListenerConfiguration? = nil) {
    self.grpc = grpc
    self.thriftHTTP = thriftHTTP
  }
}

/// What a relay or an aggregator listens on.
public struct ReceiversConfiguration: Sendable, Equatable {
  public var otlp = OTLPReceiverConfiguration()
  public var zipkin: ListenerConfiguration?
  public var jaeger = JaegerReceiverConfiguration()

  /// The defaults.
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
  /// An aggregator samples nothing, so it has nothing to tell samplers.
  static func read(_ section: SectionReader, isRelay: Bool) -> JaegerReceiverConfiguration? {
    var value = JaegerReceiverConfiguration()
    _ = section.section("protocols") { protocols in
      value.grpc = protocols.namedSection("grpc", ListenerConfiguration.receiver(14250))
      value.thriftHTTP = protocols.namedSection("thrift_http", ListenerConfiguration.receiver(14268))
    }
    if isRelay {
      // The names of the Collector's `jaegerremotesampling` extension.
      _ = section.section("remote_sampling") { sampling in
        value.samplingGRPC = sampling.namedSection("grpc", ListenerConfiguration.receiver(14251))
        value.samplingHTTP = sampling.namedSection("http", ListenerConfiguration.receiver(5778))
      }
    }
    func namesNone(_ key: String) -> Bool {
      if case .mapping(let members) = section[key]?.node.content { members.isEmpty } else { true }
    }
    if namesNone("protocols"), !isRelay || namesNone("remote_sampling") {
      let sampling = isRelay ? ", remote_sampling.grpc, remote_sampling.http" : ""
      section.own.fail("must name at least one of protocols.grpc, protocols.thrift_http\(sampling)")
    }
    return value
  }
}

extension ReceiversConfiguration {
  static func read(_ section: SectionReader, isRelay: Bool) -> ReceiversConfiguration? {
    var value = ReceiversConfiguration()
    value.otlp = section.namedSection("otlp", OTLPReceiverConfiguration.read) ?? value.otlp
    value.zipkin = section.namedSection("zipkin", ListenerConfiguration.receiver(9411))
    value.jaeger =
      section.namedSection("jaeger") { JaegerReceiverConfiguration.read($0, isRelay: isRelay) } ?? value.jaeger
    return value
  }
}
