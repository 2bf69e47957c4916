import Foundation
import TestKit
import Testing

@testable import DiskLog

/// A log against a model in memory, with crashes at every kind of moment.
@Suite struct ModelTests {
  static let seeds: Range<UInt64> = {
    let first = ProcessInfo.processInfo.environment["DISKLOG_SEED"].flatMap { UInt64($0) } ?? 1
    let count = ProcessInfo.processInfo.environment["DISKLOG_SEEDS"].flatMap { UInt64($0) } ?? 6
    return first..<first + count
  }()

  @Test(arguments: seeds) func holdsWhatWasAnswered(seed: UInt64) async throws {
    var run = ModelRun(seed: seed)
    try await run.run()
  }
}

struct ModelRun {
  let seed: UInt64
  var random: SeededGenerator
  var scratch = Scratch(isFast: true)
  var identity: DiskLogIdentity?
  var model = LogModel()
  let maxBytes = 300_000
  static let names = (0..<3).map { "note\($0)" }

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed)
  }

  mutating func run() async throws {
    for _ in 0..<4 { try await live() }
  }

  /// One life of the log: bursts of transactions, then its end, and a look at all pictures of crashes.
  private mutating func live() async throws {
    let camera = CrashCamera(path: scratch.file, seed: random.next(), oneIn: 10)
    var tuning = DiskLogTuning.small
    tuning.walPagesMax = [4, 20, 100][random.below(3)]
    tuning.groupCountMax = [1, 3, 50][random.below(3)]
    tuning.groupBytesMax = [1000, 50_000][random.below(2)]
    tuning.cacheKiB = [80, 2000][random.below(2)]
    tuning.freePagesMax = [0, 10][random.below(2)]
    tuning.vacuumPages = 5
    tuning.probe = { camera.see($0) }
    let log = try scratch.open(maxBytes: maxBytes, tuning)
    #expect(log.opening.wasSetAside.isEmpty && log.opening.lost == 0, "seed \(seed)")
    let isSame = try log.records == model.records
    #expect(isSame, "seed \(seed)")
    #expect(identity == nil || identity == log.identity, "seed \(seed)")
    identity = log.identity
    let start = model
    var history: [DiskLogTransaction] = []
    for _ in 0..<15 { history += try await burst(log, camera) }
    #expect(log.usedBytes == model.usedBytes, "seed \(seed)")
    camera.wantsLast = true
    _ = try await log.read([])
    await log.close()
    if random.one(in: 2), let last = camera.last {
      // The next life goes on from what a crash left at this moment.
      scratch = Scratch(isFast: true)
      try scratch.put(last.files)
    }
    for picture in camera.pictures { try await check(picture, from: start, history) }
  }

  /// Submits some transactions at once and checks their answers; returns those that were answered, refused ones emptied.
  private mutating func burst(_ log: DiskLog, _ camera: CrashCamera) async throws -> [DiskLogTransaction] {
    let count = [1, 1, 8, 30][random.below(4)]
    let transactions = (0..<count).map { _ in model.transaction(&random) }
    let answers = Answers()
    let reader = UInt64(random.below(Int(model.next) + 5))
    let readAt = random.below(count)
    for (index, transaction) in transactions.enumerated() {
      log.commit(transaction) {
        camera.countAnswer()
        answers.add($0)
      }
      if index == readAt { log.read([reader]) { answers.add($0) } }
    }
    _ = try await log.read([])
    var history: [DiskLogTransaction] = []
    for (index, transaction) in transactions.enumerated() {
      let before = model.usedBytes
      switch answers.commits[index] {
      case .success(let addresses):
        #expect(addresses == model.apply(transaction), "seed \(seed)")
        history.append(transaction)
        let isIn = transaction.isForced || transaction.appends.isEmpty || before + transaction.appendedBytes <= maxBytes
        #expect(isIn || count > 1, "seed \(seed): over the cap")
      case .failure(let fault):
        #expect(fault == .full && !transaction.isForced && transaction.appendedBytes > 0, "seed \(seed)")
        #expect(count > 1 || before + transaction.appendedBytes > maxBytes, "seed \(seed): refused below the cap")
        history.append(DiskLogTransaction())
      }
      if index == readAt {
        let found = try answers.reads[0].get()
        let isRight = found.map(\.1) == (model.records[reader].map { [$0] } ?? [])
        #expect(isRight && found.allSatisfy { $0.0 == reader }, "seed \(seed)")
      }
    }
    return history
  }

  /// Opens what a crash left: it must be the model after all that was answered, and maybe some of what came next.
  private mutating func check(
    _ picture: CrashCamera.Picture, from start: LogModel, _ history: [DiskLogTransaction]
  ) async throws {
    let copy = Scratch(isFast: true)
    try copy.put(picture.files)
    let log = try copy.open()
    #expect(log.opening.wasSetAside.isEmpty && log.opening.lost == 0, "seed \(seed) \(picture.moment)")
    let found = try await log.model(notes: Self.names)
    await log.close()
    var expected = start
    for transaction in history[..<picture.answered] { _ = expected.apply(transaction) }
    for transaction in history[picture.answered...] {
      if expected == found { return }
      _ = expected.apply(transaction)
    }
    let isThere = expected == found
    #expect(isThere, "seed \(seed) \(picture.moment): neither what was answered nor a continuation of it")
  }
}

/// The answers to a burst, in their order.
final class Answers: @unchecked Sendable {
  private(set) var commits: [Result<Range<UInt64>, DiskLogFault>] = []
  private(set) var reads: [Result<[(UInt64, DiskLogRecord)], DiskLogFault>] = []
  func add(_ answer: Result<Range<UInt64>, DiskLogFault>) { commits.append(answer) }
  func add(_ answer: Result<[(UInt64, DiskLogRecord)], DiskLogFault>) { reads.append(answer) }
}
