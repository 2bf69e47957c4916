/// What the machine and the pod are asked for: `resourcedetection` and `k8sattributes`.
public struct DetectionConfiguration: Sendable, Equatable {
  /// Where attributes come from.
  public enum Detector: String, CaseIterable, Sendable {
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    case env
    /// `host.name`, `host.id`, `os.type`.
    case system
    /// `k8s.node.name`, from a variable that the downward API sets.
    case k8snode
  }

  /// What is known of the pod that this process runs in.
  public enum PodMetadata: String, CaseIterable, Sendable {
    case cluster = "k8s.cluster.name"
    case node = "k8s.node.name"
    case namespace = "k8s.namespace.name"
    case pod = "k8s.pod.name"
    case podUID = "k8s.pod.uid"
    case podAddress = "k8s.pod.ip"
    case deployment = "k8s.deployment.name"
  }

  /// Asked in this order; the first that knows an attribute is believed.
  public var detectors: [Detector] = []
  /// Whether what was detected replaces what resources say.
  public var overrides = true
  /// The variable with the node's name.
  public var nodeVariable = "K8S_NODE_NAME"
  /// What resources get of the pod's environment where they say nothing; empty for nothing.
  public var podMetadata: [PodMetadata] = []
  /// A directory with the downward API's files.
  public var podinfo: String?

  /// Nothing is asked.
  public init() {}
}

extension DetectionConfiguration {
  /// Reads both processors out of `processors`.
  static func read(_ processors: SectionReader) -> DetectionConfiguration {
    var value = DetectionConfiguration()
    _ = processors.section("resourcedetection") { section -> Bool in
      let allowed = Detector.allCases.map(\.rawValue).joined(separator: ", ")
      let setting = section.required("detectors", "allowed: \(allowed)")
      value.detectors = setting?.elements.compactMap { $0.choice(Detector.self) } ?? []
      value.overrides = section["override"]?.boolean() ?? true
      value.nodeVariable =
        section.section("k8snode") { $0["node_from_env_var"]?.string() } ?? value.nodeVariable
      return true
    }
    _ = processors.namedSection("k8sattributes") { section -> Bool in
      value.podMetadata = [.cluster, .node]
      value.podinfo = section["podinfo"]?.string()
      refuse(section, "auth_type", "kube_config", "context", "passthrough", "filter", "pod_association", "exclude")
      refuse(section, "wait_for_metadata", "wait_for_metadata_timeout", "pod_delete_grace_period")
      _ = section.section("extract") { extract -> Bool in
        refuse(extract, "annotations", "labels", "otel_annotations", "deployment_name_from_replicaset")
        if let setting = extract["metadata"] {
          value.podMetadata = setting.elements.compactMap { $0.choice(PodMetadata.self) }
        }
        return true
      }
      return true
    }
    return value
  }

  /// Tells of keys of the Collector's processor that mean the API server.
  private static func refuse(_ section: SectionReader, _ keys: String...) {
    for key in keys {
      section[key]?.fail(
        "needs the Kubernetes API, which is not asked here: only this pod's own environment is (allowed: podinfo, "
          + "extract.metadata)")
    }
  }
}
