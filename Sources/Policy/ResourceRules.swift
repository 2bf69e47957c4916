internal import TraceWire

/// The actions on a resource's attributes and the region stamp, compiled: pure decisions about lists of keys.
///
/// The stamp comes after the actions: whatever they did, a resource leaves with the region that its spans were judged
/// by. Where none of the four region attributes is left, `cloud.region` is added with that region.
struct ResourceRules: Sendable {
  /// Where a region may be named, in their rank.
  static let regionKeys = ["region", "cloud.region", "deployment.region", "topology.kubernetes.io/region"]
    .map { Array($0.utf8) }
  static let stampKey = "cloud.region"

  /// An attribute as the actions see it.
  struct Attribute {
    var key: [UInt8]
    /// Whether the value is a string that is not empty: what can name a region.
    var isText: Bool
    /// Its place in the resource, nil for an added one.
    var ordinal: Int?
    /// The encoded `KeyValue` of an added one.
    var encoded: [UInt8] = []
  }

  /// What is to be done to a resource.
  struct Outcome: Equatable {
    /// Ordinals of attributes that go, rising.
    var dropped: [Int] = []
    /// Encoded `KeyValue`s that are added, in order.
    var added: [[UInt8]] = []
  }

  private struct Step {
    var kind: ResourceAction.Kind
    var attribute: Attribute
  }

  private let steps: [Step]

  /// Compiles actions.
  init(_ actions: [ResourceAction]) {
    steps = actions.map { action in
      var isText = false
      if case .string(let text) = action.value { isText = !text.isEmpty }
      let encoded = action.value.map { KeyValueEncoder.encode(key: action.key, value: $0) }
      let attribute = Attribute(key: Array(action.key.utf8), isText: isText, ordinal: nil, encoded: encoded ?? [])
      return Step(kind: action.kind, attribute: attribute)
    }
  }

  /// Whether a resource that names its region is left alone.
  var isEmpty: Bool { steps.isEmpty }

  /// Runs the actions, each over what the ones before left, then stamps. `stamp` is the encoded `cloud.region`.
  func outcome(for present: [Attribute], stamp: [UInt8]) -> Outcome {
    var attributes = present
    for step in steps {
      let isPresent = attributes.contains { $0.key == step.attribute.key }
      switch step.kind {
      case .insert where isPresent, .update where !isPresent: continue
      case .insert, .update, .upsert, .delete: attributes.removeAll { $0.key == step.attribute.key }
      }
      if step.kind != .delete { attributes.append(step.attribute) }
    }
    let stampKey = Array(Self.stampKey.utf8)
    if !attributes.contains(where: { $0.isText && Self.regionKeys.contains($0.key) }) {
      attributes.removeAll { $0.key == stampKey }
      attributes.append(Attribute(key: stampKey, isText: true, ordinal: nil, encoded: stamp))
    }
    let left = Set(attributes.compactMap(\.ordinal))
    return Outcome(
      dropped: present.compactMap(\.ordinal).filter { !left.contains($0) },
      added: attributes.filter { $0.ordinal == nil }.map(\.encoded))
  }
}
