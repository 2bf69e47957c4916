/// What the files say, before anything is known of its meaning. Each node knows where it was written.
struct ConfigurationNode {
  indirect enum Content {
    case null
    case scalar(ConfigurationScalar)
    case mapping([ConfigurationMember])
    case list([ConfigurationNode])
  }

  var content: Content
  /// The line of a mapping member's key, or of a list's element.
  var place: SourcePlace

  /// The node with another one laid over it: mappings join key by key, everything else is replaced.
  func merged(with later: ConfigurationNode) -> ConfigurationNode {
    guard case .mapping(var members) = content, case .mapping(let others) = later.content else { return later }
    for other in others {
      if let index = members.firstIndex(where: { $0.key == other.key }) {
        members[index].node = members[index].node.merged(with: other.node)
      } else {
        members.append(other)
      }
    }
    return ConfigurationNode(content: .mapping(members), place: later.place)
  }

  /// The node with the environment's values in its scalars.
  func expanded(_ path: String, _ expansion: EnvironmentExpansion, _ log: IssueLog) -> ConfigurationNode {
    var result = self
    switch content {
    case .null: break
    case .scalar(let scalar):
      switch expansion.expand(scalar) {
      case .success(let value): result.content = value.isNull ? .null : .scalar(value)
      case .failure(let fault): log.error(place, path, fault.message)
      }
    case .mapping(let members):
      result.content = .mapping(
        members.map { member in
          let node = member.node.expanded(path.isEmpty ? member.key : "\(path).\(member.key)", expansion, log)
          return ConfigurationMember(key: member.key, node: node)
        })
    case .list(let nodes):
      result.content = .list(
        nodes.enumerated().map { index, node in node.expanded("\(path)[\(index)]", expansion, log) })
    }
    return result
  }
}

/// A key and what stands behind it.
struct ConfigurationMember {
  var key: String
  var node: ConfigurationNode
}

/// A scalar. Its type is known only to who reads it: `4317` is a number to a port and no string to a region.
struct ConfigurationScalar {
  var text: String
  /// Written without quotation marks.
  var isPlain: Bool
  /// As it stands in the file; what messages show, so that they do not tell what came from the environment.
  var source: String
  var isExpanded = false

  init(_ text: String, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
    source = text
  }

  /// YAML 1.2's core schema.
  var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

  var boolean: Bool? {
    switch text {
    case "true", "True", "TRUE": true
    case "false", "False", "FALSE": false
    default: nil
    }
  }

  var integer: Int? {
    if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
    if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8) }
    return Int(text)
  }

  /// Neither NaN nor infinite: no setting can be that.
  var number: Double? {
    guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return integer.map(Double.init) }
    let padded = text.hasPrefix(".") ? "0" + text : text
    guard let value = Double(padded), value.isFinite else { return nil }
    return value
  }
}
