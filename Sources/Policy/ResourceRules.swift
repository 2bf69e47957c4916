internal import TraceWire

/// What becomes of a resource's attributes: what was detected is added, the actions are carried out in their order, and
/// where after that none of the four region attributes is left, `cloud.region` is added with the resource's region.
struct ResourceRules: Sendable {
  /// Where a region may be named, in their rank.
  static let regionKeys = ["region", "cloud.region", "deployment.region", "topology.kubernetes.io/region"]
    .map { Array($0.utf8) }
  static let stampKey = "cloud.region"

  private struct Detected: Sendable {
    var key: [UInt8]
    /// The encoded `AnyValue`.
    var value: [UInt8]
    var overrides: Bool
  }

  private let detected: [Detected]
  private var editor: AttributeEditor

  /// Compiles detected attributes and actions.
  init(_ detected: [DetectedAttribute], _ actions: [AttributeAction]) {
    self.detected = detected.map {
      Detected(key: Array($0.key.utf8), value: AnyValueEncoder.encode($0.value), overrides: $0.overrides)
    }
    editor = AttributeEditor(actions)
  }

  /// Whether a resource that names its region is left alone.
  var isEmpty: Bool { detected.isEmpty && editor.isEmpty }

  /// Changes a resource's attributes. `stamp` is the region that is added where none is named, nil for none.
  mutating func run(
    on list: inout AttributeList, in bytes: RawSpan, stamp: [UInt8]?, growth: inout GrowthLimit
  ) throws(WireFault) {
    for attribute in detected where attribute.overrides || list.index(of: attribute.key, in: bytes) == nil {
      list.set(attribute.key, attribute.value, in: bytes)
    }
    try editor.run(on: &list, in: bytes, growth: &growth)
    guard let stamp, !Self.namesRegion(list, in: bytes) else { return }
    list.set(Array(Self.stampKey.utf8), AnyValueEncoder.string(stamp), in: bytes)
  }

  /// Whether one of the region attributes is a text that is not empty.
  private static func namesRegion(_ list: AttributeList, in bytes: RawSpan) -> Bool {
    list.entries.indices.contains { index in
      guard let text = list.entries[index].text, !text.isEmpty else { return false }
      for key in regionKeys where list.hasKey(index, key, in: bytes) { return true }
      return false
    }
  }
}
