/// How long traces are waited for, and how much of them is held.
public struct StitchingConfiguration: Sendable, Equatable {
  public var idleTimeout: Duration = .seconds(10)
  public var maxTraceAge: Duration = .seconds(300)
  public var maxLiveTraces = 1_000_000
  public var memoryLimitBytes = 2048 << 20
  public var maxSpansPerTrace = 100_000
  /// The directory of the journal; nil keeps nothing over the end of the process.
  public var storage: String?

  /// The most the journal holds. Its batches are compressed, and stay `flow.link_ttl` longer than their traces.
  public var journalBytesMax: Int { max(1 << 30, 4 * memoryLimitBytes) }

  /// The defaults.
  public init() {}
}

/// The flow metrics' shape and caps.
public struct FlowConfiguration: Sendable, Equatable {
  /// Upper bounds in seconds, rising.
  public var durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  public var maxRegions = 100
  public var maxServices = 1000
  public var linkTTL: Duration = .seconds(60)
  public var maxHalfLinks = 2_000_000

  /// The defaults.
  public init() {}
}

extension StitchingConfiguration {
  static func read(_ section: SectionReader) -> StitchingConfiguration? {
    var value = StitchingConfiguration()
    let idle = section["idle_timeout"]
    value.idleTimeout = idle?.duration(atLeast: .milliseconds(1)) ?? value.idleTimeout
    let age = section["max_trace_age"]
    value.maxTraceAge = age?.duration(atLeast: .milliseconds(1)) ?? max(value.maxTraceAge, value.idleTimeout)
    if let age, value.maxTraceAge < value.idleTimeout {
      age.fail("must be at least idle_timeout, which is \(DurationText(value.idleTimeout))")
    }
    value.maxLiveTraces = section["max_live_traces"]?.integer(1...1_000_000_000) ?? value.maxLiveTraces
    value.memoryLimitBytes = section["memory_limit_mib"]?.mebibytes(1...16_777_216) ?? value.memoryLimitBytes
    value.maxSpansPerTrace = section["max_spans_per_trace"]?.integer(1...1_000_000_000) ?? value.maxSpansPerTrace
    value.storage = section["storage"]?.string()
    return value
  }
}

extension FlowConfiguration {
  /// The most bounds of a histogram: each is a series of every pair and service.
  static let bucketsMax = 200

  static func read(_ section: SectionReader) -> FlowConfiguration? {
    var value = FlowConfiguration()
    value.durationBuckets = section["duration_buckets"].flatMap(readBuckets) ?? value.durationBuckets
    value.maxRegions = section["max_regions"]?.integer(1...100_000) ?? value.maxRegions
    value.maxServices = section["max_services"]?.integer(1...1_000_000) ?? value.maxServices
    value.linkTTL = section["link_ttl"]?.duration() ?? value.linkTTL
    value.maxHalfLinks = section["max_half_links"]?.integer(0...1_000_000_000) ?? value.maxHalfLinks
    return value
  }

  private static func readBuckets(_ setting: Setting) -> [Double]? {
    let elements = setting.elements
    guard case .list = setting.node.content else { return nil }
    let bounds = elements.map { element in
      element.scalar("a number of seconds greater than 0") { scalar in scalar.number.flatMap { $0 > 0 ? $0 : nil } }
    }
    var last: Double?
    for (element, bound) in zip(elements, bounds) {
      guard let bound else { continue }
      if let last, bound <= last { element.fail("must be greater than the bound before it: bounds rise") }
      last = bound
    }
    if bounds.isEmpty || bounds.count > Self.bucketsMax { setting.fail("must have 1 to \(Self.bucketsMax) bounds") }
    return bounds.compactMap { $0 }
  }
}
