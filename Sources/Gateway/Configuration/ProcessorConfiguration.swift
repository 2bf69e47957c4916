/// How much memory held spans may take.
public struct MemoryLimiterConfiguration: Sendable, Equatable {
  public var limitBytes = 512 << 20
  /// How far below the limit receivers begin to turn requests away.
  public var spikeLimitBytes = 128 << 20

  /// The defaults.
  public init() {}
}

/// When a batch is sent.
public struct BatchConfiguration: Sendable, Equatable {
  public var timeout: Duration = .seconds(1)
  /// Spans that make a batch full.
  public var sendBatchSize = 1024
  /// The most spans of one batch; 0 for no such limit, as in the Collector.
  public var sendBatchMaxSize = 2048

  /// The defaults.
  public init() {}
}

/// What stands in a relay's `processors`.
struct ProcessorsConfiguration {
  var memoryLimiter = MemoryLimiterConfiguration()
  var editing = EditingConfiguration()
  var batch = BatchConfiguration()

  /// Reads a relay's.
  static func read(_ section: SectionReader) -> ProcessorsConfiguration? {
    var value = ProcessorsConfiguration()
    value.memoryLimiter = section.section("memory_limiter", MemoryLimiterConfiguration.read) ?? value.memoryLimiter
    value.editing = EditingConfiguration.read(section)
    value.batch = section.section("batch", BatchConfiguration.read) ?? value.batch
    return value
  }
}

extension MemoryLimiterConfiguration {
  static func read(_ section: SectionReader) -> MemoryLimiterConfiguration? {
    var value = MemoryLimiterConfiguration()
    value.limitBytes = section["limit_mib"]?.mebibytes(1...1_048_576) ?? value.limitBytes
    let spike = section["spike_limit_mib"]
    // Left out, it is a quarter of a small limit.
    value.spikeLimitBytes = spike?.mebibytes(0...1_048_576) ?? min(value.spikeLimitBytes, value.limitBytes / 4)
    if let spike, value.spikeLimitBytes >= value.limitBytes {
      spike.fail("must be less than limit_mib, which is \(value.limitBytes >> 20)")
    }
    return value
  }
}

extension BatchConfiguration {
  static func read(_ section: SectionReader) -> BatchConfiguration? {
    var value = BatchConfiguration()
    value.timeout = section["timeout"]?.duration() ?? value.timeout
    value.sendBatchSize = section["send_batch_size"]?.integer(1...10_000_000) ?? value.sendBatchSize
    let most = section["send_batch_max_size"]
    value.sendBatchMaxSize = most?.integer(0...10_000_000) ?? max(value.sendBatchMaxSize, value.sendBatchSize)
    if let most, value.sendBatchMaxSize > 0, value.sendBatchMaxSize < value.sendBatchSize {
      most.fail("must be 0 (no limit) or at least send_batch_size, which is \(value.sendBatchSize)")
    }
    return value
  }
}
