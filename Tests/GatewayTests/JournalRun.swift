import Compression
import Delivery
import Telemetry
import TestKit
import Testing
import TraceWire
import Transport

@testable import DiskLog
@testable import Gateway

/// One seed of the model test: some lives of an aggregator, each begun on what a crash left of the one before, and a
/// last one that comes to rest.
struct JournalRun {
  private let seed: UInt64
  private var random: SeededGenerator
  private let settings: JournalSettings
  private var traffic = ModelTraffic()
  /// All batches that were ever sent; one that is sent again keeps its number.
  private var sent: [ModelBatch] = []
  private var numbers: [[UInt8]: Int] = [:]
  /// The batches that were answered with success.
  private var answered: Set<Int> = []
  /// Traces for which nothing is sent any more but what a relay repeats by name.
  private var retired: Set<TraceID> = []
  /// What must be known at the beginning of the life, and what is on disk then.
  private var model: JournalModel
  private var files: [String: [UInt8]] = [:]

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    var settings = JournalSettings(exporters: [["otlp/a"], ["otlp/a", "otlp/b"], []][Int(seed % 7) / 3])
    settings.journalBytesMax = random.one(in: 4) ? 12_000 : .max
    settings.maxLiveTraces = random.one(in: 3) ? 16 : 1000
    settings.tuning.stepBytes = 16 << 10
    settings.tuning.walRoomBytes = 32 << 10
    settings.tuning.walPagesMax = [4, 20, 200][Int.random(in: 0..<3, using: &random)]
    settings.tuning.groupCountMax = [1, 3, 50][Int.random(in: 0..<3, using: &random)]
    settings.tuning.freePagesMax = 10
    self.settings = settings
    model = JournalModel(exporters: settings.exporters)
  }

  mutating func run() async throws {
    for _ in 0..<3 {
      try await live()
      // A fault leads to others.
      guard model.faults.isEmpty else { return expectNone(model.faults, "") }
    }
    try await rest()
  }

  private func expectNone(_ faults: [String], _ place: String) {
    #expect(faults.isEmpty, "seed \(seed) \(place): \(faults.joined(separator: "; "))")
  }

  // MARK: A life that ends in a crash

  private mutating func live() async throws {
    let life = try await JournalLife(files, settings, seed: random.next(), picturesOneIn: 40, exports: true)
    var burst = JournalBurst(life)
    for _ in 0..<8 {
      for _ in 0..<Int.random(in: 1...12, using: &random) { act(on: life, &burst) }
      await life.settleDown()
      guard await life.wait(until: { burst.isAnswered && life.camera.isUpToDate }) else {
        Issue.record("seed \(seed): \(burst.unanswered) answers are missing")
        return await life.end()
      }
      let now = now(life)
      expectNone(now.faults, "while it lives")
      if random.one(in: 2) { await compare(life, now, "while it lives") }
      if random.one(in: 4) { endRetention(life, now) }
    }
    if random.one(in: 3) { await settle(life) }
    life.camera.demand()
    await life.settleDown()
    let (pictures, written) = (life.camera.pictures, life.camera.written)
    let (answers, exports) = (life.witness.answered, life.witness.exports)
    await life.end()
    var survivors: [(JournalCamera.Picture, JournalModel)] = []
    for picture in pictures {
      let after = try await resume(picture.files, picture.moment, seed: random.next(), isAgain: false) { last in
        var model = model(written.filter { $0.address <= last }, exports.prefix(picture.seen.exports))
        for number in answers.prefix(picture.seen.answered) { model.answered(sent[number]) }
        return model
      }
      survivors.append((picture, after))
    }
    guard let survivor = survivors.randomElement(using: &random) else { return }
    files = survivor.0.files
    model = survivor.1
    answered.formUnion(answers.prefix(survivor.0.seen.answered))
  }

  /// Something happens, and nobody waits for what comes of it.
  private mutating func act(on life: JournalLife, _ burst: inout JournalBurst) {
    switch Int.random(in: 0..<12, using: &random) {
    case 0...4:
      if random.one(in: 2) { traffic.openTrace(&random) }
      guard let batch = traffic.nextBatch(&random) else { return }
      numbers[batch.body] = sent.count
      sent.append(batch)
      send(sent.count - 1, to: life, &burst)
    case 5: if let number = sent.indices.randomElement(using: &random) { send(number, to: life, &burst) }
    case 6: for number in sent.indices where !answered.contains(number) { send(number, to: life, &burst) }
    case 7: life.wait(seconds: UInt64.random(in: 2...12, using: &random))
    case 8: burst.checkpoint()
    case 9: life.answerPondered()
    default: life.sealBatches()
    }
  }

  private mutating func send(_ number: Int, to life: JournalLife, _ burst: inout JournalBurst) {
    let batch = sent[number]
    let isRecognised = batch.identity != nil && answered.contains(number)
    guard isRecognised || batch.spans.allSatisfy({ !retired.contains($0.trace) }) else { return }
    burst.send(batch, number: number, over: Int.random(in: 0..<life.lanes.count, using: &random))
  }

  /// The retention of what is closed and settled ends; nothing more comes for these traces.
  private mutating func endRetention(_ life: JournalLife, _ now: JournalModel) {
    retired.formUnion(now.closedTraces)
    traffic.retire(now.closedTraces)
    life.wait(seconds: 70)
  }

  // MARK: What must be so

  /// What must be known now.
  private func now(_ life: JournalLife) -> JournalModel {
    let written = life.camera.written
    var now = model(written, life.witness.exports[...])
    for number in life.witness.answered { now.answered(sent[number]) }
    return now
  }

  /// What must be known when this was written in the life, and this exported.
  private func model(
    _ written: [JournalCamera.Written], _ exports: ArraySlice<JournalWitness.Export>
  ) -> JournalModel {
    var model = model
    var settlings: [([JournalUnit], String)] = []
    for one in written {
      switch JournalRecord(kind: one.record.kind, header: one.record.header) {
      case .batch(let header): model.write(batch(header, one.record.payload), at: one.address)
      case .closed(let ids, let names): model.write(closing: ids, exporters: names, at: one.address)
      case .settled(let units, let name): settlings.append((units, name))
      case .late: break
      case nil: Issue.record("seed \(seed): a record of no kind")
      }
    }
    model.see(exports)
    for (units, name) in settlings { model.write(settled: units, by: name) }
    return model
  }

  /// What was sent in the batch that a record holds.
  private func batch(_ header: JournalledBatch, _ payload: [UInt8]) -> ModelBatch {
    let body = try? Decompressor().inflate(payload.span.bytes, coding: .zstd, limit: 1 << 20)
    guard let batch = body.flatMap({ numbers[$0] }).map({ sent[$0] }), batch.identity == header.identity,
      batch.tenant == header.tenant
    else {
      Issue.record("seed \(seed): a batch that nobody sent")
      return ModelBatch(spans: [], body: [], identity: nil, peerRegion: nil)
    }
    return batch
  }

  /// Begins a life on what a crash has left, and looks whether it knows what it must; perhaps it dies on the way, and
  /// another must know the same. What is known then.
  private func resume(
    _ files: [String: [UInt8]], _ moment: String, seed lifeSeed: UInt64, isAgain: Bool,
    _ before: (UInt64) -> JournalModel
  ) async throws -> JournalModel {
    let life = try await JournalLife(
      files, settings, seed: lifeSeed, picturesOneIn: isAgain ? .max : 6, exports: false)
    var known = before(life.last)
    known.crash(leaving: Set(life.found.map(\.address)))
    await life.settleDown()
    expectNone(known.faults, "after \(moment)")
    await compare(life, known, "after \(moment)")
    let balance = life.balance
    #expect(life.shared.ledger.held(.queue) == known.owedSpans, "seed \(seed) after \(moment): what is owed is queued")
    #expect(
      balance.left == 0 && balance.received == balance.held, "seed \(seed) after \(moment): \(balance) is no balance")
    let pictures = life.camera.pictures
    await life.end()
    if let picture = pictures.last {
      _ = try await resume(picture.files, "\(moment), again", seed: lifeSeed &+ 1, isAgain: true) { _ in known }
    }
    return known
  }

  /// An aggregator at rest knows what the model knows.
  private func compare(_ life: JournalLife, _ known: JournalModel, _ place: String) async {
    let open = await life.openTraces(of: Set(sent.flatMap { $0.spans.map(\.trace) }))
    let mustBeOpen = Set(known.traces.filter { $0.value.isLive }.keys)
    let wrong = open.symmetricDifference(mustBeOpen).map(\.low)
    #expect(wrong.isEmpty, "seed \(seed) \(place): traces \(wrong) are open, or not, and should not be, or be")
    let spans = life.shared.ledger.held(.stitching)
    #expect(spans == known.liveSpans, "seed \(seed) \(place): spans of open traces")
    let window = life.shared.known.window
    let names = Set(sent.compactMap(\.identity)).filter { window.contains($0) }
    let lost = names.symmetricDifference(known.identities).map { "\($0.origin.low)/\($0.sequence)" }
    #expect(lost.isEmpty, "seed \(seed) \(place): batches \(lost) are known, or not, and should not be, or be")
    let flows = await life.flows()
    let others = Set(flows.keys).union(known.flows.keys).filter { flows[$0] != known.flows[$0] }
      .map { "\($0) is \(flows[$0] ?? 0) and not \(known.flows[$0] ?? 0)" }
    #expect(others.isEmpty, "seed \(seed) \(place): \(others.sorted().joined(separator: "; "))")
  }

  // MARK: Rest

  /// All back ends take everything: nothing stays owed, and the disk knows it.
  private func settle(_ life: JournalLife) async {
    life.becomeWilling()
    await life.settleDown()
    let ledger = life.shared.ledger
    let isDone = await life.wait {
      life.sealBatches()
      return ledger.held(.batch) == 0 && ledger.held(.queue) == 0
    }
    await life.settleDown()
    let isRead = await life.wait { life.camera.isUpToDate }
    let held = HeldStage.allCases.map { "\($0) \(ledger.held($0))" }
    #expect(isDone && isRead, "seed \(seed): exports do not come to an end: \(held), read: \(isRead)")
    let now = now(life)
    expectNone(now.faults, "settled")
    let owed = now.handed.filter { !$0.value.owedTo.isEmpty }.map { "\($0.key.trace.low)@\($0.key.address)" }
    #expect(owed.isEmpty, "seed \(seed): the disk does not know that \(owed) are settled")
    let balance = life.balance
    #expect(balance.received == balance.left + balance.held, "seed \(seed): \(balance) is no balance")
  }

  /// A last life without a crash: everything is sent, closed, exported and forgotten.
  private mutating func rest() async throws {
    let life = try await JournalLife(files, settings, seed: random.next(), picturesOneIn: .max, exports: true)
    var burst = JournalBurst(life)
    for number in sent.indices where !answered.contains(number) { send(number, to: life, &burst) }
    let isAnswered = await life.wait { burst.isAnswered && life.camera.isUpToDate }
    #expect(isAnswered, "seed \(seed): \(burst.unanswered) answers are missing")
    life.wait(seconds: 12)
    await life.settleDown()
    await settle(life)
    let now = now(life)
    await compare(life, now, "at rest")
    #expect(now.liveTraces == 0, "seed \(seed): all traces are closed")
    answered.formUnion(life.witness.answered)
    let spans = Set(answered.flatMap { sent[$0].spans.map(\.key) })
    for place in settings.exporters.indices {
      let lost = spans.subtracting(now.delivered[place])
      #expect(lost.isEmpty, "seed \(seed): \(lost.count) spans never reached \(settings.exporters[place])")
    }
    life.wait(seconds: 70)
    for _ in 0..<2 {
      burst.checkpoint()
      _ = await life.wait { burst.isAnswered }
    }
    #expect(life.journal.log.usedBytes == 0, "seed \(seed): the journal keeps what nobody needs")
    await life.end()
  }
}

/// What was asked of a life and is to be waited for.
struct JournalBurst {
  private let life: JournalLife
  private var sends = 0
  private var checkpoints = 0

  init(_ life: JournalLife) { self.life = life }

  var unanswered: Int { sends - life.witness.answers + checkpoints - life.witness.checkpoints }
  var isAnswered: Bool { unanswered == 0 }

  mutating func send(_ batch: ModelBatch, number: Int, over lane: Int) {
    sends += 1
    life.send(batch, number: number, over: lane)
  }

  mutating func checkpoint() {
    checkpoints += 1
    life.checkpoint { [witness = life.witness] in witness.checkpointed() }
  }
}
