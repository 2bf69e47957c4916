internal import TraceWire

/// Which attributes the Elastic Common Schema has a field for (Elastic, "ECS field reference"; for resources the names
/// of the Collector's `ecs` mode). A field is used only for a value of its type.
enum ElasticsearchFields {
  struct Field {
    let key: StaticString
    /// The field's name in the document.
    let field: StaticString
    var isNumber = false
  }

  static let resource: [Field] = [
    Field(key: "service.version", field: "service.version"),
    Field(key: "service.instance.id", field: "service.node.name"),
    Field(key: "deployment.environment.name", field: "service.environment"),
    Field(key: "deployment.environment", field: "service.environment"),
    Field(key: "telemetry.sdk.language", field: "service.language.name"),
    Field(key: "cloud.provider", field: "cloud.provider"), Field(key: "cloud.region", field: "cloud.region"),
    Field(key: "cloud.availability_zone", field: "cloud.availability_zone"),
    Field(key: "cloud.account.id", field: "cloud.account.id"),
    Field(key: "cloud.platform", field: "cloud.service.name"),
    Field(key: "container.id", field: "container.id"), Field(key: "container.name", field: "container.name"),
    Field(key: "container.image.name", field: "container.image.name"),
    Field(key: "host.id", field: "host.id"), Field(key: "host.type", field: "host.type"),
    Field(key: "host.name", field: "host.hostname"), Field(key: "host.arch", field: "host.architecture"),
    Field(key: "os.name", field: "host.os.name"), Field(key: "os.type", field: "host.os.platform"),
    Field(key: "os.description", field: "host.os.full"), Field(key: "os.version", field: "host.os.version"),
    Field(key: "process.pid", field: "process.pid", isNumber: true),
    Field(key: "process.command_line", field: "process.command_line"),
    Field(key: "process.executable.path", field: "process.executable"),
    Field(key: "process.runtime.name", field: "service.runtime.name"),
    Field(key: "process.runtime.version", field: "service.runtime.version"),
    Field(key: "k8s.cluster.name", field: "orchestrator.cluster.name"),
    Field(key: "k8s.deployment.name", field: "kubernetes.deployment.name"),
    Field(key: "k8s.namespace.name", field: "kubernetes.namespace"),
    Field(key: "k8s.node.name", field: "kubernetes.node.name"),
    Field(key: "k8s.pod.name", field: "kubernetes.pod.name"), Field(key: "k8s.pod.uid", field: "kubernetes.pod.uid"),
  ]

  static let span: [Field] = [
    Field(key: "http.request.method", field: "http.request.method"),
    Field(key: "http.method", field: "http.request.method"),
    Field(key: "http.response.status_code", field: "http.response.status_code", isNumber: true),
    Field(key: "http.status_code", field: "http.response.status_code", isNumber: true),
    Field(key: "url.full", field: "url.full"), Field(key: "http.url", field: "url.full"),
    Field(key: "url.path", field: "url.path"), Field(key: "url.query", field: "url.query"),
    Field(key: "url.scheme", field: "url.scheme"), Field(key: "url.domain", field: "url.domain"),
    Field(key: "user_agent.original", field: "user_agent.original"),
    Field(key: "http.user_agent", field: "user_agent.original"),
    Field(key: "server.address", field: "server.address"), Field(key: "net.peer.name", field: "server.address"),
    Field(key: "server.port", field: "server.port", isNumber: true),
    Field(key: "net.peer.port", field: "server.port", isNumber: true),
    Field(key: "client.address", field: "client.address"),
    Field(key: "client.port", field: "client.port", isNumber: true),
    Field(key: "network.protocol.name", field: "network.protocol"),
    Field(key: "network.transport", field: "network.transport"), Field(key: "error.type", field: "error.type"),
    Field(key: "peer.service", field: "service.target.name"),
  ]

  /// The field of an attribute; `nil` where it is a label.
  static func field(of attribute: OTLPAttribute, in table: [Field], _ bytes: RawSpan) -> Field? {
    for field in table where attribute.key.matches(field.key, in: bytes) {
      return attribute.value.kind == (field.isNumber ? .int : .text) ? field : nil
    }
    return nil
  }
}
