/// What was measured, as `loadtest/costs.json` has it: CPU seconds a million spans, bytes, MiB.
public struct Costs: Codable, Sendable {
  /// A relay's CPU seconds for a million spans that came to it.
  public struct Relay: Codable, Sendable {
    /// Everything is kept, nothing compressed.
    public var allKept: Double
    /// A tenth is kept, nothing compressed.
    public var tenthKept: Double
    /// Everything is kept and compressed by zstd.
    public var allKeptZstd: Double
    /// MiB under full load, with a receiver that takes everything.
    public var residentMiB: Double
  }

  /// An aggregator's CPU seconds for a million spans.
  public struct Aggregator: Codable, Sendable {
    /// Stitched and counted.
    public var counted: Double
    /// Stitched, counted and exported.
    public var exported: Double
    /// MiB before the first request.
    public var residentMiB: Double
  }

  /// What is kept of things, in bytes.
  public struct Bytes: Codable, Sendable {
    /// A live trace without its spans.
    public var liveTrace: Double
    /// A live trace of five spans whose bytes are not kept.
    public var liveTraceOfFive: Double
    /// A span whose bytes are kept, with its share of its trace of five.
    public var heldSpan: Double
    /// A closed trace without its spans' IDs.
    public var closedTrace: Double
    /// A span, compressed, on the link and in a relay's queue.
    public var linkSpan: Double
  }

  /// The relay's.
  public var relay: Relay
  /// The aggregator's.
  public var aggregator: Aggregator
  /// What things occupy.
  public var bytes: Bytes

  /// Seconds of a core that a relay takes for a span before it is sent. The two rows with and without sampling lie on
  /// a line whose slope is what a kept span costs.
  var receiving: Double { (relay.allKept - (relay.allKept - relay.tenthKept) / 0.9) / 1e6 }

  /// Seconds of a core that a relay takes to send a span on, compressed.
  var sending: Double { ((relay.allKept - relay.tenthKept) / 0.9 + relay.allKeptZstd - relay.allKept) / 1e6 }

  /// Seconds of a core that an aggregator takes for a span.
  func stitching(exported: Bool) -> Double { (exported ? aggregator.exported : aggregator.counted) / 1e6 }

  /// Bytes that a live trace takes for each of its spans.
  func spanBytes(exported: Bool) -> Double {
    exported ? bytes.heldSpan - bytes.liveTrace / 5 : (bytes.liveTraceOfFive - bytes.liveTrace) / 5
  }
}
