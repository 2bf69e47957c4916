internal import Delivery

/// A relay's local exporters on one event loop. They get every batch that is on its way to the aggregator, each into a
/// queue of its own.
///
/// What becomes of a span is for the aggregator's exporter to say; these only count what they sent and what they
/// missed. They have memory of their own, a part of the relay's that is set aside for them: a destination that is down takes
/// nothing from the others. A batch for which a queue, or that memory, has no room misses that destination.
struct LocalExports {
  let lanes: [ExporterLane]
  /// The memory that is set aside.
  let room: ByteBudget

  /// Gives a batch to those that have room for it.
  func hand(_ batch: Batch) {
    guard !lanes.isEmpty else { return }
    var copy = batch.asSent
    copy.owners = []
    for lane in lanes where admit(copy, to: lane.counters) { lane.enqueueCharged(copy) }
  }

  private func admit(_ batch: Batch, to counters: ExporterCounters) -> Bool {
    guard room.admit(batch.byteCount) else {
      counters.dropped(batch.spanCount, .queueFull)
      return false
    }
    guard counters.capacity.admit(batch.byteCount) else {
      room.release(batch.byteCount)
      counters.dropped(batch.spanCount, .queueFull)
      return false
    }
    return true
  }
}

/// How a relay's memory is divided.
struct RelayMemory {
  /// For everything on the way to the aggregator.
  let limit: Int
  let spike: Int
  /// For local exporters: what their queues may hold, a quarter of the memory at most.
  let room: Int

  /// As a configuration says.
  init(_ configuration: RelayConfiguration) {
    let wanted = configuration.localExporters.reduce(0) { $0 + min($1.queueBytesMax, .max >> 16) }
    room = min(wanted, configuration.memoryLimiter.limitBytes / 4)
    limit = configuration.memoryLimiter.limitBytes - room
    spike = min(configuration.memoryLimiter.spikeLimitBytes, limit)
  }
}
