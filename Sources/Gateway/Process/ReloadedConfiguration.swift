/// What a running process makes of another configuration: most of it is put in force, and some sections keep what they
/// say until a restart.
struct ReloadedConfiguration<Configuration> {
  /// What is in force once the reload is done.
  private(set) var inForce: Configuration
  /// The sections that differ and are not taken over.
  private(set) var sectionsNeedingRestart: [String] = []
  private let old: Configuration

  init(from old: Configuration, to new: Configuration) {
    self.old = old
    inForce = new
  }

  /// Keeps a section as it is.
  mutating func keep(_ section: String, _ path: WritableKeyPath<Configuration, some Equatable>) {
    guard old[keyPath: path] != inForce[keyPath: path] else { return }
    inForce[keyPath: path] = old[keyPath: path]
    if !sectionsNeedingRestart.contains(section) { sectionsNeedingRestart.append(section) }
  }

  /// Keeps a receiver where it is. Its certificates may lie elsewhere, and others may be let in.
  mutating func keep(receiver: String, _ path: WritableKeyPath<Configuration, ListenerConfiguration?>) {
    func place(_ configuration: Configuration) -> [String]? {
      configuration[keyPath: path].map { [$0.host, "\($0.port)", $0.tls == nil ? "" : "TLS"] }
    }
    let new = inForce[keyPath: path]
    guard place(old) != place(inForce) else { return }
    keep(receiver, path)
    // Whose credentials were taken away must not come in until the restart.
    if let new { inForce[keyPath: path]?.auth = new.auth }
  }

  /// Keeps the admin endpoint where it is, likewise.
  mutating func keep(admin path: WritableKeyPath<Configuration, ListenerConfiguration>) {
    let auth = inForce[keyPath: path].auth
    inForce[keyPath: path].auth = old[keyPath: path].auth
    keep("admin", path)
    inForce[keyPath: path].auth = auth
  }

  /// Keeps every receiver where it is.
  mutating func keep(receivers: WritableKeyPath<Configuration, ReceiversConfiguration>) {
    keep(receiver: "receivers.otlp.protocols.grpc", receivers.appending(path: \.otlp.grpc))
    keep(receiver: "receivers.otlp.protocols.http", receivers.appending(path: \.otlp.http))
    keep(receiver: "receivers.zipkin", receivers.appending(path: \.zipkin))
    keep(receiver: "receivers.jaeger.protocols.grpc", receivers.appending(path: \.jaeger.grpc))
    keep(receiver: "receivers.jaeger.protocols.thrift_http", receivers.appending(path: \.jaeger.thriftHTTP))
    keep(receiver: "receivers.jaeger.remote_sampling.grpc", receivers.appending(path: \.jaeger.samplingGRPC))
    keep(receiver: "receivers.jaeger.remote_sampling.http", receivers.appending(path: \.jaeger.samplingHTTP))
  }
}

extension RelayConfiguration {
  private var exporterNames: [String] { [exporter.name] + localExporters.map(\.name) }

  /// What this one, which is in force, becomes by a reload.
  func reloaded(_ new: RelayConfiguration) -> ReloadedConfiguration<RelayConfiguration> {
    var reloaded = ReloadedConfiguration(from: self, to: new)
    reloaded.keep("region", \.region)
    reloaded.keep(receivers: \.receivers)
    if tenants?.header != new.tenants?.header { reloaded.keep("tenants", \.tenants) }
    reloaded.keep("sampling.trace_memory", \.sampling.traceMemory)
    // Its name is a metric label: another name is another exporter.
    if exporterNames != new.exporterNames {
      reloaded.keep("exporters", \.exporter)
      reloaded.keep("exporters", \.localExporters)
    }
    reloaded.keep("exporters.sending_queue.storage", \.exporter.queueStorage)
    reloaded.keep(admin: \.admin)
    reloaded.keep("log", \.log)
    reloaded.keep("shutdown_timeout", \.shutdownTimeout)
    return reloaded
  }
}

extension AggregatorConfiguration {
  /// What this one, which is in force, becomes by a reload.
  func reloaded(_ new: AggregatorConfiguration) -> ReloadedConfiguration<AggregatorConfiguration> {
    var reloaded = ReloadedConfiguration(from: self, to: new)
    reloaded.keep(receivers: \.receivers)
    if tenants?.header != new.tenants?.header { reloaded.keep("tenants", \.tenants) }
    // Exporters are neither added nor taken away, so that every trace is owed to the same ones.
    if exporters.map(\.name) != new.exporters.map(\.name) { reloaded.keep("exporters", \.exporters) }
    reloaded.keep("stitching.storage", \.stitching.storage)
    reloaded.keep("flow", \.flow)
    reloaded.keep(admin: \.admin)
    reloaded.keep("log", \.log)
    reloaded.keep("shutdown_timeout", \.shutdownTimeout)
    return reloaded
  }
}
