internal import DiskLog
internal import Logging
internal import Telemetry

extension DiskLog {
  /// Says what opening a log found that an operator should know.
  func reportOpening(_ what: String, _ logger: Logger) {
    for path in opening.wasSetAside {
      logger.error(
        "\(what) was damaged and set aside",
        metadata: ["file": "\(path)", "salvaged_records": "\(opening.salvaged)"])
    }
  }

  /// Ends it when everything that was given to it is on disk.
  func close() async { await withCheckedContinuation { done in close { done.resume() } } }

  /// What this log holds and has done.
  func families() -> [MetricFamily] {
    func family(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Int) -> MetricFamily {
      MetricFamily("longspan_storage_" + name, kind, help: help, samples: [MetricSample([], Double(value))])
    }
    let done = counters
    return [
      family("bytes", .gauge, "Live bytes on disk.", usedBytes),
      family("full", .gauge, "1 while the storage takes nothing new.", isFull ? 1 : 0),
      family("commits_total", .counter, "Transactions on disk, each one synchronisation.", done.commits),
      family("appended_records_total", .counter, "Records written.", done.appendedRecords),
      family("appended_bytes_total", .counter, "Bytes written.", done.appendedBytes),
      family("removed_records_total", .counter, "Records removed.", done.removedRecords),
      family("refused_total", .counter, "Changes refused for want of room, of the cap or the disk.", done.refused),
      family("failures_total", .counter, "Changes and reads that failed otherwise.", done.failures),
      family("damaged_files_total", .counter, "Files set aside because they were damaged.", done.damagedFiles),
      family("damaged_records_total", .counter, "Records left out because they were damaged.", done.damagedRecords),
    ]
  }
}
