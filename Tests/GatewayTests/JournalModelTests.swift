import Foundation
import Testing

/// The aggregator's journal against a model in memory, with crashes at any moment, also of a life that only begins.
@Suite(.serialized) struct JournalModelTests {
  static let seeds: Range<UInt64> = {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["JOURNAL_SEED"].flatMap { UInt64($0) } ?? 1
    let count = environment["JOURNAL_SEEDS"].flatMap { UInt64($0) } ?? (environment["JOURNAL_SEED"] == nil ? 28 : 1)
    return first..<first + count
  }()

  @Test(arguments: seeds) func knowsWhatItAnsweredAndExported(seed: UInt64) async throws {
    var run = JournalRun(seed: seed)
    try await run.run()
  }
}
