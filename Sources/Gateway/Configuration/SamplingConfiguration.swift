public import Policy

/// How spans that travel no route are sampled, and how thresholds join.
public struct SamplingConfiguration: Sendable, Equatable {
  /// How a decision is made.
  public enum Kind: String, CaseIterable, Sendable {
    case probabilistic
  }

  /// How a threshold that a span already carries joins with ours.
  public enum Mode: String, CaseIterable, Sendable {
    case equalizing
    case proportional
  }

  /// How long a trace's routes are remembered.
  public struct TraceMemory: Sendable, Equatable {
    public var ttl: Duration = .seconds(60)
    public var maxTraces = 200_000

    /// The defaults.
    public init() {}
  }

  /// `type`.
  public var kind = Kind.probabilistic
  /// `param`, from 0 to 1.
  public var probability = 1.0
  /// `mode`: what is made of thresholds that spans bring.
  public var mode = Mode.equalizing
  public var traceMemory = TraceMemory()

  /// The defaults.
  public init() {}
}

/// A route: an ordered pair of regions with a probability.
public struct RouteConfiguration: Sendable, Equatable {
  /// A region, or `*` for any.
  public var from: String
  /// A region, or `*` for any.
  public var to: String
  /// From 0 to 1.
  public var probability: Double
  /// What is taken out of the spans that travel it, besides what is taken out of all.
  public var redaction: RedactionRules?

  /// A route.
  public init(from: String, to: String, probability: Double, redaction: RedactionRules? = nil) {
    self.from = from
    self.to = to
    self.probability = probability
    self.redaction = redaction
  }
}

/// How a region's hosts are recognised.
public struct RegionConfiguration: Sendable, Equatable {
  public var name: String
  /// Host names and globs such as `*.us-west-2.example.com`.
  public var hosts: [String]
  /// Blocks such as `10.20.0.0/16`, or single addresses.
  public var cidrs: [String]

  /// A region.
  public init(name: String, hosts: [String] = [], cidrs: [String] = []) {
    self.name = name
    self.hosts = hosts
    self.cidrs = cidrs
  }
}

extension SamplingConfiguration {
  static func read(_ section: SectionReader) -> SamplingConfiguration? {
    var value = SamplingConfiguration()
    value.kind = section["type"]?.choice(Kind.self) ?? value.kind
    value.probability = section["param"]?.probability() ?? value.probability
    value.mode = section["mode"]?.choice(Mode.self) ?? value.mode
    _ = section.section("trace_memory") { memory in
      value.traceMemory.ttl = memory["ttl"]?.duration() ?? value.traceMemory.ttl
      value.traceMemory.maxTraces = memory["max_traces"]?.integer(0...100_000_000) ?? value.traceMemory.maxTraces
    }
    return value
  }
}

extension RouteConfiguration {
  static func read(_ section: SectionReader) -> RouteConfiguration? {
    let from = section.required("from", "a region, or \"*\" for any")?.string()
    let to = section.required("to", "a region, or \"*\" for any")?.string()
    let probability = section.required("sampling", "a probability from 0 to 1")?.probability()
    let redaction = section.section("redaction", RedactionRules.read)
    if let from, let to, let owner = section.own.log.claim("route \(from)\0\(to)", by: section.own.path) {
      section.own.fail("duplicate route from \(from) to \(to), it is already \(owner)")
    }
    guard let from, let to, let probability else { return nil }
    return RouteConfiguration(from: from, to: to, probability: probability, redaction: redaction)
  }
}

extension RegionConfiguration {
  static func read(_ section: SectionReader) -> RegionConfiguration? {
    let setting = section.required("name", "a region")
    let name = setting?.regionName()
    let hosts = section["hosts"]?.elements.compactMap { $0.hostPattern() } ?? []
    let cidrs = section["cidrs"]?.elements.compactMap { $0.block() } ?? []
    guard let name else { return nil }
    if let owner = section.own.log.claim("region \(name)", by: section.own.path) {
      setting?.fail("duplicate region \(name), it is already \(owner)")
    }
    return RegionConfiguration(name: name, hosts: hosts, cidrs: cidrs)
  }
}

extension Setting {
  /// The name of one region.
  func regionName() -> String? {
    guard let name = string() else { return nil }
    if name == "*" || name == "__overflow__" || name.utf8.count > 256 {
      fail("must be the name of one region, at most 256 bytes, not \(shown)")
      return nil
    }
    return name
  }

  fileprivate func hostPattern() -> String? {
    guard let host = string() else { return nil }
    let isPattern = host.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }
    if !isPattern || host.utf8.count > 255 {
      fail("must be a host name or a pattern such as *.us-west-2.example.com, not \(shown)")
      return nil
    }
    return host
  }

  fileprivate func block() -> String? {
    scalar("an address block such as 10.20.0.0/16 or 2001:db8::/32") { IPAddressText.isBlock($0.text) ? $0.text : nil }
  }
}
