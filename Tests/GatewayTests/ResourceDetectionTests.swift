import Policy
import Testing
import TraceWire

@testable import Gateway

@Suite struct ResourceDetectionTests {
  private func rules(
    _ environment: [String: String], files: [String: String] = [:], _ change: (inout DetectionConfiguration) -> Void
  ) -> [DetectedAttribute] {
    let detection = ResourceDetection(
      environment: { environment[$0] }, file: { files[$0] }, hostName: { "box" })
    var configuration = EditingConfiguration()
    change(&configuration.detection)
    return detection.rules(configuration).detected
  }

  @Test func nothingIsAskedByDefault() {
    #expect(rules(["OTEL_RESOURCE_ATTRIBUTES": "a=b", "K8S_NODE_NAME": "n"]) { _ in }.isEmpty)
  }

  /// What says which region or service speaks is filled in, never replaced.
  @Test func detectorsAreAskedInTheirOrder() {
    let environment = ["OTEL_RESOURCE_ATTRIBUTES": "host.name=mine, a=x%2Cy,service.name=s,broken,=z,cloud.region=r"]
    let found = rules(environment, files: ["/etc/machine-id": "abc\n"]) { $0.detectors = [.env, .system, .k8snode] }
    #expect(
      found == [
        DetectedAttribute(key: "host.name", value: .string("mine"), overrides: true),
        DetectedAttribute(key: "a", value: .string("x,y"), overrides: true),
        DetectedAttribute(key: "service.name", value: .string("s"), overrides: false),
        DetectedAttribute(key: "cloud.region", value: .string("r"), overrides: false),
        DetectedAttribute(key: "os.type", value: .string("linux"), overrides: true),
        DetectedAttribute(key: "host.id", value: .string("abc"), overrides: true),
      ])
  }

  @Test func thePodsEnvironmentIsAskedForWhatIsWanted() {
    let environment = ["K8S_NODE_NAME": "node-7", "K8S_POD_NAME": "relay-1"]
    let files = ["/info/cluster_name": " prod\n", "/info/namespace": "obs"]
    let found = rules(environment, files: files) {
      $0.podMetadata = [.cluster, .node]
      $0.podinfo = "/info"
    }
    #expect(
      found == [
        DetectedAttribute(key: "k8s.cluster.name", value: .string("prod")),
        DetectedAttribute(key: "k8s.node.name", value: .string("node-7")),
      ])
    let all = rules(environment, files: files) {
      $0.podMetadata = DetectionConfiguration.PodMetadata.allCases
      $0.podinfo = "/info"
    }
    #expect(all.map(\.key).sorted() == ["k8s.cluster.name", "k8s.namespace.name", "k8s.node.name", "k8s.pod.name"])
  }
}
