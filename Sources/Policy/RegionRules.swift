/// How one region's hosts are recognised where no attribute names a region.
public struct RegionRule: Sendable {
  /// The region.
  public var name: String
  /// Host names and globs such as `*.us-west-2.example.com`.
  public var hosts: [String]
  /// Blocks of addresses.
  public var cidrs: [CIDRBlock]

  /// Makes a rule.
  public init(name: String, hosts: [String] = [], cidrs: [CIDRBlock] = []) {
    self.name = name
    self.hosts = hosts
    self.cidrs = cidrs
  }
}

/// All `regions:` rules. A host is looked for among the exact names, then among the globs in the order they are given;
/// one that is an IP literal then among the blocks, of which the longest prefix holds.
public struct RegionRules: Sendable {
  /// Longest host that is looked at: a name has at most 253 bytes.
  static let hostBytesMax = 255

  private var names: [[UInt8]: Int] = [:]
  private var globs: [(pattern: HostPattern, rule: Int)] = []
  private var blocks: [(block: CIDRBlock, rule: Int)] = []
  /// The regions' names by the index that `match` returns.
  public let regions: [String]

  /// Compiles rules.
  public init(_ rules: [RegionRule]) {
    regions = rules.map(\.name)
    for (index, rule) in rules.enumerated() {
      for host in rule.hosts {
        let pattern = HostPattern(host)
        let name = HostPattern.normalized(Array(host.utf8))
        if !pattern.isExact {
          globs.append((pattern, index))
        } else if names[name] == nil {
          names[name] = index
        }
      }
      blocks += rule.cidrs.map { ($0, index) }
    }
    blocks.sort { ($1.block.prefixLength, $0.rule) < ($0.block.prefixLength, $1.rule) }
  }

  /// Whether there are none.
  public var isEmpty: Bool { regions.isEmpty }

  /// The index of the region that a host name or IP literal belongs to, or nil. Not for the hot path: see `HostCache`.
  public func match(_ host: [UInt8]) -> Int? {
    guard !host.isEmpty, host.count <= Self.hostBytesMax else { return nil }
    let normalized = HostPattern.normalized(host)
    if let rule = names[normalized] { return rule }
    if let glob = globs.first(where: { $0.pattern.matches(normalized) }) { return glob.rule }
    guard !blocks.isEmpty, let address = IPAddress(normalized) else { return nil }
    return blocks.first { $0.block.contains(address) }?.rule
  }
}
