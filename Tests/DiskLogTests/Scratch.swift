import Foundation

@testable import DiskLog

/// A directory of a test's own, gone with it.
final class Scratch: Sendable {
  let path: String

  /// `isFast`: in memory where the machine has that, for tests that do not depend on what lasts.
  init(isFast: Bool = false) {
    var root = FileManager.default.temporaryDirectory.path
    if isFast, FileManager.default.isWritableFile(atPath: "/dev/shm") { root = "/dev/shm" }
    path = "\(root)/disklog-\(UUID().uuidString)"
  }

  /// Puts files where a log is to find them, by their suffixes.
  func put(_ files: [String: [UInt8]]) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (suffix, bytes) in files { try Data(bytes).write(to: URL(filePath: file + suffix)) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func options(maxBytes: Int = .max) -> DiskLogOptions {
    DiskLogOptions(directory: path, name: "queue", maxBytes: maxBytes)
  }

  var file: String { path + "/queue.sqlite" }

  func open(maxBytes: Int = .max, _ tuning: DiskLogTuning = .small) throws -> DiskLog {
    try DiskLog.open(options(maxBytes: maxBytes), tuning)
  }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

extension DiskLog {
  func commit(_ transaction: DiskLogTransaction) async -> Result<Range<UInt64>, DiskLogFault> {
    await withCheckedContinuation { continuation in commit(transaction) { continuation.resume(returning: $0) } }
  }

  func append(_ records: DiskLogRecord...) async throws -> Range<UInt64> {
    try await commit(DiskLogTransaction(appends: records)).get()
  }

  func remove(_ ranges: ClosedRange<UInt64>...) async throws {
    _ = try await commit(DiskLogTransaction(removals: ranges)).get()
  }

  func read(_ addresses: [UInt64]) async throws -> [UInt64: DiskLogRecord] {
    let found = await withCheckedContinuation { continuation in
      read(addresses) { continuation.resume(returning: $0) }
    }
    return Dictionary(uniqueKeysWithValues: try found.get())
  }

  func close() async {
    await withCheckedContinuation { continuation in close { continuation.resume() } }
  }

  var records: [UInt64: DiskLogRecord] {
    get throws {
      var records: [UInt64: DiskLogRecord] = [:]
      try replay { entry, payload in
        records[entry.address] = DiskLogRecord(kind: entry.kind, header: entry.header, payload: payload)
      }
      return records
    }
  }

  var entries: [DiskLogEntry] {
    get throws {
      var entries: [DiskLogEntry] = []
      try index { entries.append($0) }
      return entries
    }
  }
}

extension DiskLogRecord {
  init(_ text: String) { self.init(kind: 1, header: Array("h".utf8), payload: Array(text.utf8)) }
  init(bytes: Int, kind: UInt8 = 2) {
    self.init(kind: kind, header: [], payload: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) })
  }
}

extension DiskLogTuning {
  /// Small files, so that looking at each of their bytes takes little time.
  static var small: DiskLogTuning {
    var tuning = DiskLogTuning()
    tuning.stepBytes = 32 << 10
    tuning.walRoomBytes = 64 << 10
    return tuning
  }
}
