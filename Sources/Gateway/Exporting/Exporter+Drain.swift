internal import Delivery
internal import Logging
internal import NIOCore
internal import Transport

extension Exporter {
  /// Tries on every loop what is held until the deadline, says how many spans were lost, and ends the connections.
  func drain(_ lanes: PerLoop<ExporterLane>, until deadline: UInt64) async {
    let promises = await lanes.map { $0.beginDrain(until: deadline) }
    var lost = 0
    for promise in promises { lost += (try? await promise.get()) ?? 0 }
    if lost > 0 {
      var metadata = metadata
      metadata["spans"] = "\(lost)"
      logger.error("spans lost: the destination did not take them before the shutdown timeout", metadata: metadata)
    }
    _ = await lanes.map { $0.close() }
  }
}
