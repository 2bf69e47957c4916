/// Reads a mapping key by key. The keys that a reader asks for are the allowed ones: `finish` tells of every other.
final class SectionReader {
  let own: Setting
  private let members: [ConfigurationMember]
  private var asked: [String] = []

  /// Reads a mapping; a null is an empty one. Nil, and a complaint, where it is something else.
  init?(_ setting: Setting) {
    own = setting
    switch setting.node.content {
    case .mapping(let members): self.members = members
    case .null: members = []
    case .scalar, .list:
      setting.fail("must be a mapping, not \(setting.shown)")
      return nil
    }
  }

  private func path(_ key: String) -> String { own.path.isEmpty ? key : "\(own.path).\(key)" }

  private func member(_ key: String) -> Setting? {
    if !asked.contains(key) { asked.append(key) }
    return members.first { $0.key == key }.map {
      Setting(node: $0.node, path: path(key), log: own.log, isHidden: own.isHidden)
    }
  }

  /// What stands behind a key; nil where the key is absent or has no value.
  subscript(key: String) -> Setting? {
    guard let setting = member(key), case .null = setting.node.content else { return member(key) }
    return nil
  }

  /// What stands behind a key that has to be there.
  func required(_ key: String, _ what: String) -> Setting? {
    if let setting = self[key] { return setting }
    let place = member(key)?.node.place ?? own.node.place
    own.log.error(place, path(key), "is missing; \(what)")
    return nil
  }

  /// Reads the mapping behind a key; nil where the key is absent or has no value.
  func section<Value>(_ key: String, _ read: (SectionReader) -> Value?) -> Value? { self[key]?.section(read) }

  /// The same, but a key without a value counts as an empty mapping: to name it is to have it.
  func namedSection<Value>(_ key: String, _ read: (SectionReader) -> Value?) -> Value? { member(key)?.section(read) }

  /// The same for a mapping of which messages show nothing.
  func hiddenSection<Value>(_ key: String, _ read: (SectionReader) -> Value?) -> Value? {
    guard var setting = member(key) else { return nil }
    setting.isHidden = true
    return setting.section(read)
  }

  /// The mappings of a list behind a key.
  func sections<Value>(_ key: String, _ read: (SectionReader) -> Value?) -> [Value] {
    self[key]?.elements.compactMap { $0.section(read) } ?? []
  }

  /// The mappings behind a key and behind the key with a slash and a name, in the file's order.
  func sections<Value>(named key: String, _ read: (SectionReader) -> Value?) -> [Value] {
    if !asked.contains(key) { asked.append(key) }
    let named = members.filter { $0.key == key || ($0.key.hasPrefix(key + "/") && $0.key.count > key.count + 1) }
    return named.compactMap { section($0.key, read) }
  }

  /// All keys, for a mapping whose keys the user makes up; `finish` then has nothing to say.
  func all() -> [(key: String, setting: Setting)] {
    members.map { member in
      asked.append(member.key)
      return (
        member.key, Setting(node: member.node, path: path(member.key), log: own.log, isHidden: own.isHidden)
      )
    }
  }

  /// Tells of the keys nobody asked for.
  func finish() {
    for member in members where !asked.contains(member.key) {
      let near = asked.map { ($0, $0.editDistance(to: member.key)) }.min { $0.1 < $1.1 }
      let hint = near.map { $0.1 <= 2 ? "; did you mean \($0.0)?" : "" } ?? ""
      own.log.error(
        member.node.place, path(member.key), "unknown key\(hint) (allowed: \(asked.sorted().joined(separator: ", ")))")
    }
  }
}

extension Setting {
  /// Reads it as a mapping whose keys are the ones `read` asks for.
  func section<Value>(_ read: (SectionReader) -> Value?) -> Value? {
    guard let section = SectionReader(self) else { return nil }
    let value = read(section)
    section.finish()
    return value
  }
}

extension String {
  /// How many letters must be put in, taken out or changed to make the other of it; letters' case does not count.
  fileprivate func editDistance(to other: String) -> Int {
    let left = Array(lowercased().utf8.prefix(64))
    let right = Array(other.lowercased().utf8.prefix(64))
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let change = diagonal + (byte == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = Swift.min(change, row[column] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}
