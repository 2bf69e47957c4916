internal import Foundation

/// What a load needs: a row of the table.
public struct ScaleRow: Codable, Sendable {
  /// The relays of a region; one more than it takes.
  public struct Relays: Codable, Sendable {
    /// Relays, one a machine.
    public var machines: Int
    /// Event loops of each.
    public var coresEach: Int
    /// Utilisation of the busiest lane when one relay has failed.
    public var busiest: Double
    /// Seconds that 99 % of requests wait there at most.
    public var p99: Double
    /// MiB of each without a queue: at rest, and what is under way for a round trip.
    public var memoryMiBEach: Double
    /// GiB that each holds at the end of the outage.
    public var queueGiBEach = 0.0
  }

  /// The aggregator; one machine more than it takes. What it says of load and memory is with one machine less.
  public struct Aggregator: Codable, Sendable {
    /// Processes, one a machine.
    public var machines: Int
    /// Shards of each.
    public var shardsEach: Int
    /// Mean utilisation of a shard.
    public var busy: Double
    /// Seconds that 99 % of what comes to a shard waits at most.
    public var p99: Double
    /// The most GiB that each occupies, and what it does while it catches up after an outage.
    public var memoryGiBEach, recoveryGiBEach: Double
    /// The most live traces of each: what `stitching.max_live_traces` has to allow.
    public var liveTracesEach: Double
    /// Seconds for which closed traces and waiting ends are remembered, with the default caps of a process.
    public var closedSeconds, linkSeconds: Double
    /// Share of spans that come after their trace was closed.
    public var late: Double
    /// What all machines can take while they catch up.
    public var spansPerSecondMax: Double
    /// Gbit/s from the relays on average, and while the aggregator catches up.
    public var linkGbit = 0.0, recoveryGbit = 0.0
  }

  /// What was asked for.
  public var deployment: Deployment
  /// By region, the one with most of the load first.
  public var relays: [Relays]
  /// The aggregator.
  public var aggregator: Aggregator
  /// Seconds from the end of an outage until no relay holds anything back; nil where it takes more than an hour.
  public var recovery: Double?

  /// The table's first two lines.
  public static let head = """
    | spans/s | aggregator | relays: first region, all | cores, memory each | busiest lane: load, p99 | \
    machines of the aggregator | shards, memory each | live traces each | shard: load, p99 | link Gbit/s | \
    a relay's queue after the outage | empty after |
    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    """

  /// The row of the table.
  public var line: String {
    let first = relays[0]
    let memory = max(aggregator.memoryGiBEach, aggregator.recoveryGiBEach)
    let cells = [
      String(format: "%g M", deployment.spansPerSecond / 1e6), deployment.exports ? "exports" : "counts",
      "\(first.machines), \(relays.reduce(0) { $0 + $1.machines })",
      String(format: "%d, %.0f MiB", first.coresEach, first.memoryMiBEach),
      String(format: "%.0f %%, %.1f ms", first.busiest * 100, first.p99 * 1000),
      "\(aggregator.machines)", String(format: "%d, %.1f GiB", aggregator.shardsEach, memory),
      String(format: "%.2f M", aggregator.liveTracesEach / 1e6),
      String(format: "%.0f %%, %.1f ms", aggregator.busy * 100, aggregator.p99 * 1000),
      String(format: "%.1f", aggregator.linkGbit), String(format: "%.1f GiB", first.queueGiBEach),
      recovery.map { String(format: "%.0f s", $0) } ?? "more than an hour",
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}
