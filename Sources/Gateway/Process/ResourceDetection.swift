internal import Foundation
internal import Policy
internal import TraceWire

/// Finds out what resources are to be told of the machine and the pod. Reads the environment and a few small files, when
/// a role starts or reloads.
struct ResourceDetection: Sendable {
  let environment: @Sendable (String) -> String?
  /// A file's text; nil where it cannot be read.
  let file: @Sendable (String) -> String?
  let hostName: @Sendable () -> String

  /// Longest file that is read, and most attributes that one source gives.
  private static let fileBytesMax = 1 << 16
  private static let attributesMax = 128

  /// Asks this process's environment and this machine.
  static let real = ResourceDetection(
    environment: { ProcessInfo.processInfo.environment[$0] },
    file: { path in
      guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
      defer { try? handle.close() }
      return (try? handle.read(upToCount: fileBytesMax)).flatMap { String(data: $0, encoding: .utf8) }
    },
    hostName: { ProcessInfo.processInfo.hostName })

  /// The rules with what was detected. Keys that say which region or service speaks are filled in where they are
  /// missing, and never replaced: they are not this process's own.
  func rules(_ configuration: EditingConfiguration) -> ProcessorRules {
    var rules = configuration.rules
    var known: Set<String> = []
    let kept = RedactionRules.keptKeys
    for (key, value) in configuration.detection.detectors.flatMap({ detect($0, configuration.detection) })
    where known.insert(key).inserted {
      rules.detected.append(
        DetectedAttribute(
          key: key, value: .string(value), overrides: configuration.detection.overrides && !kept.contains(key)))
    }
    for metadata in configuration.detection.podMetadata {
      guard let value = pod(metadata, configuration.detection), known.insert(metadata.rawValue).inserted else {
        continue
      }
      rules.detected.append(DetectedAttribute(key: metadata.rawValue, value: .string(value)))
    }
    return rules
  }

  private func detect(
    _ detector: DetectionConfiguration.Detector, _ configuration: DetectionConfiguration
  ) -> [(String, String)] {
    switch detector {
    case .env: return Self.attributes(environment("OTEL_RESOURCE_ATTRIBUTES") ?? "")
    case .system:
      var found = [("host.name", hostName()), ("os.type", "linux")]
      if let id = trimmed(file("/etc/machine-id")) { found.append(("host.id", id)) }
      return found.filter { !$0.1.isEmpty }
    case .k8snode: return trimmed(environment(configuration.nodeVariable)).map { [("k8s.node.name", $0)] } ?? []
    }
  }

  /// The specification's form: `key=value,key=value`, percent-encoded.
  static func attributes(_ text: String) -> [(String, String)] {
    text.split(separator: ",").prefix(attributesMax).compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count == 2, let value = parts[1].removingPercentEncoding, !parts[0].isEmpty else { return nil }
      return (parts[0], value)
    }
  }

  private func pod(
    _ metadata: DetectionConfiguration.PodMetadata, _ configuration: DetectionConfiguration
  ) -> String? {
    let (variables, files): ([String], [String]) =
      switch metadata {
      case .cluster: (["K8S_CLUSTER_NAME"], ["cluster_name", "cluster"])
      case .node: ([configuration.nodeVariable, "KUBE_NODE_NAME", "NODE_NAME"], ["node_name", "node"])
      case .namespace: (["K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "POD_NAMESPACE"], ["namespace"])
      case .pod: (["K8S_POD_NAME", "POD_NAME"], ["name", "pod_name"])
      case .podUID: (["K8S_POD_UID", "POD_UID"], ["uid", "pod_uid"])
      case .podAddress: (["K8S_POD_IP", "POD_IP"], [])
      case .deployment: (["K8S_DEPLOYMENT_NAME"], [])
      }
    for variable in variables { if let value = trimmed(environment(variable)) { return value } }
    guard let directory = configuration.podinfo else { return nil }
    for name in files { if let value = trimmed(file("\(directory)/\(name)")) { return value } }
    return nil
  }

  private func trimmed(_ text: String?) -> String? {
    let text = text?.trimmingCharacters(in: .whitespacesAndNewlines)
    return text?.isEmpty == false ? text : nil
  }
}
