internal import Yams

/// Reads one YAML file into a tree with line numbers.
struct YAMLFile {
  /// Nodes in one file; past it, it is not a configuration (or one whose aliases multiply).
  static let nodesMax = 100_000
  static let depthMax = 64
  /// Duplicate keys that are told; the next one ends the reading of the file.
  static let duplicatesMax = 100

  let name: String
  let index: Int
  let log: IssueLog
  private var nodeCount = 0

  init(name: String, index: Int, log: IssueLog) {
    self.name = name
    self.index = index
    self.log = log
  }

  /// The file's tree; nil where it is not readable as one, which is then in the log.
  mutating func read(_ bytes: [UInt8]) -> ConfigurationNode? {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      log.unreadable(file: name, index: index, "is not UTF-8")
      return nil
    }
    guard let root = compose(text) else { return nil }
    let node = convert(root, at: place(root.mark), path: "", depth: 0)
    switch node.content {
    case .mapping: return node
    case .null: return ConfigurationNode(content: .mapping([]), place: place(nil))
    case .scalar, .list:
      log.error(node.place, "", "must be a mapping of keys to values")
      return nil
    }
  }

  private func place(_ mark: Mark?) -> SourcePlace {
    SourcePlace(fileIndex: index, file: name, line: max(1, mark?.line ?? 1))
  }

  // MARK: Syntax

  /// Yams refuses a file at its first duplicate key. To find all of them, and everything else, that key gets a mark put
  /// before it that makes it another one, and the file is read again; `convert` finds the marks.
  private func compose(_ text: String) -> Node? {
    var text = text
    for attempt in 0...Self.duplicatesMax {
      do {
        let parser = try Parser(yaml: text, encoding: .utf8)
        return try parser.singleRoot() ?? Node("", .implicit, .plain)
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard attempt < Self.duplicatesMax, let marked = DuplicateKeyMark.put(attempt, into: text, at: context.mark)
        else {
          log.error(place(context.mark), keys.joined(separator: ", "), "duplicate key")
          return nil
        }
        text = marked
      } catch let error as YamlError {
        report(error)
        return nil
      } catch {
        log.unreadable(file: name, index: index, "cannot be read as YAML")
        return nil
      }
    }
    return nil
  }

  private func report(_ error: YamlError) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let around = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
      log.error(place(mark), "", "not valid YAML: \(problem)\(around)")
    case .reader(let problem, let offset, _, let yaml):
      let line = 1 + yaml.prefix(offset ?? 0).count { $0.isNewline }
      log.error(SourcePlace(fileIndex: index, file: name, line: line), "", "not valid YAML: \(problem)")
    default:
      log.unreadable(file: name, index: index, "cannot be read as YAML")
    }
  }

  // MARK: Tree

  private mutating func convert(_ node: Node, at place: SourcePlace, path: String, depth: Int) -> ConfigurationNode {
    nodeCount += 1
    if nodeCount > Self.nodesMax || depth > Self.depthMax {
      if nodeCount <= Self.nodesMax + 1 { log.error(place, path, "the file has too many values, or too deep ones") }
      nodeCount = max(nodeCount, Self.nodesMax + 1)
      return ConfigurationNode(content: .null, place: place)
    }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain && scalar.tag.description != "tag:yaml.org,2002:str"
      let value = ConfigurationScalar(scalar.string, isPlain: isPlain)
      return ConfigurationNode(content: value.isNull ? .null : .scalar(value), place: place)
    case .sequence(let sequence):
      var nodes: [ConfigurationNode] = []
      for (index, element) in sequence.enumerated() {
        nodes.append(convert(element, at: self.place(element.mark), path: "\(path)[\(index)]", depth: depth + 1))
      }
      return ConfigurationNode(content: .list(nodes), place: place)
    case .mapping(let mapping):
      return ConfigurationNode(content: .mapping(members(mapping, path, depth)), place: place)
    case .alias:
      return ConfigurationNode(content: .null, place: place)
    }
  }

  private mutating func members(_ mapping: Node.Mapping, _ path: String, _ depth: Int) -> [ConfigurationMember] {
    var members: [ConfigurationMember] = []
    var inherited: [ConfigurationMember] = []
    for (key, value) in mapping {
      let keyPlace = place(key.mark ?? value.mark)
      guard case .scalar(let scalar) = key else {
        log.error(keyPlace, path, "a key must be a string")
        continue
      }
      let name = DuplicateKeyMark.strip(scalar.string)
      let node = convert(value, at: keyPlace, path: path.isEmpty ? name : "\(path).\(name)", depth: depth + 1)
      if let first = members.first(where: { $0.key == name }) {
        let line = first.node.place.line
        log.error(keyPlace, path.isEmpty ? name : "\(path).\(name)", "duplicate key, it is already on line \(line)")
      } else if name == "<<", scalar.style == .plain {
        inherited += Self.inherited(node)
      } else {
        members.append(ConfigurationMember(key: name, node: node))
      }
    }
    // A merge key's members stand in where the mapping has none of its own.
    for member in inherited where !members.contains(where: { $0.key == member.key }) { members.append(member) }
    return members
  }

  private static func inherited(_ node: ConfigurationNode) -> [ConfigurationMember] {
    switch node.content {
    case .mapping(let members): members
    case .list(let nodes): nodes.flatMap { Self.inherited($0) }
    case .null, .scalar: []
    }
  }
}

/// A mark before a key: a character from Unicode's private area and a number.
private enum DuplicateKeyMark {
  static let character: Character = "\u{E000}"

  static func put(_ number: Int, into text: String, at mark: Mark) -> String? {
    let scalars = text.unicodeScalars
    var index = scalars.startIndex
    for _ in 1..<max(1, mark.line) {
      guard let newline = scalars[index...].firstIndex(of: "\n") else { return nil }
      index = scalars.index(after: newline)
    }
    guard var position = scalars.index(index, offsetBy: mark.column - 1, limitedBy: scalars.endIndex),
      position < scalars.endIndex
    else { return nil }
    if scalars[position] == "\"" || scalars[position] == "'" { position = scalars.index(after: position) }
    return String(text[..<position]) + "\(character)\(number)\(character)" + String(text[position...])
  }

  static func strip(_ key: String) -> String {
    guard key.first == character, let end = key.dropFirst().firstIndex(of: character) else { return key }
    return String(key[key.index(after: end)...])
  }
}
