import Delivery
import DiskLog
import Intake
import Synchronization
import Telemetry
import Testing
import TraceWire

@testable import Gateway

/// What is written into the aggregator's journal, and which of it is still needed.
@Suite struct JournalTests {
  private func trace(_ number: UInt64) -> TraceID { TraceID(high: 7, low: number) }
  private func unit(_ number: UInt64, _ address: UInt64) -> JournalUnit {
    JournalUnit(trace: trace(number), address: address)
  }

  private func readBack(_ record: JournalRecord) -> JournalRecord? {
    let written = record.record()
    return JournalRecord(kind: written.kind, header: written.header)
  }

  @Test(arguments: [nil, "eu-west-1"], [true, false]) func batchesAreReadBack(_ region: String?, _ isNamed: Bool) throws
  {
    let origin = BatchIdentity.Origin(high: 1, low: .max, epoch: 3, region: region)
    let identity = isNamed ? BatchIdentity(origin: origin, sequence: 4) : nil
    let written = JournalledBatch(
      peerRegion: region, identity: identity, acceptedAt: 1_763_700_000_123, tenant: "team-a")
    guard case .batch(let batch) = readBack(.batch(written)) else {
      Issue.record("a batch is read as one")
      return
    }
    #expect(batch.peerRegion == region)
    #expect(batch.identity == identity)
    #expect(batch.acceptedAt == 1_763_700_000_123)
    #expect(batch.tenant == "team-a")
    // What knew of no tenants wrote the same, but for the name.
    var older = JournalRecord.batch(written).record()
    older.header.removeLast(8 + 6)
    guard case .batch(let before)? = JournalRecord(kind: older.kind, header: older.header) else {
      Issue.record("a batch without a tenant is read as one")
      return
    }
    #expect(before.tenant == nil && before.acceptedAt == batch.acceptedAt && before.identity == identity)
  }

  @Test func closingsAreReadBack() {
    let ids = [trace(1), TraceID(high: .max, low: 0)]
    guard case .closed(ids, exporters: ["otlp", "otlp/b"]) = readBack(.closed(ids, exporters: ["otlp", "otlp/b"]))
    else {
      Issue.record("closings are read as they were written")
      return
    }
  }

  @Test func settlingsAreReadBack() {
    let units = [unit(1, 5), unit(2, .max)]
    guard case .settled(units, exporter: "otlp/b") = readBack(.settled(units, exporter: "otlp/b")) else {
      Issue.record("settlings are read as they were written")
      return
    }
  }

  @Test func lateTracesAreReadBack() {
    let ids = [trace(1), TraceID(high: .max, low: 0)]
    guard case .late(ids, of: 7, isNew: false) = readBack(.late(ids, of: 7, isNew: false)) else {
      Issue.record("late traces are read as they were written")
      return
    }
  }

  @Test func otherBytesAreNoRecord() {
    #expect(JournalRecord(kind: 9, header: [1]) == nil)
    #expect(JournalRecord(kind: 1, header: []) == nil)
    #expect(JournalRecord(kind: 1, header: [2]) == nil)
    for kind in 1...3 as ClosedRange<UInt8> {
      #expect(JournalRecord(kind: kind, header: [1, 255, 255, 255, 255, 255, 255, 255, 255]) == nil)
      #expect(JournalRecord(kind: kind, header: [1, 3, 0, 0, 0, 0, 0, 0, 0, 65]) == nil)
    }
  }

  @Test func anEntryIsNeededUntilItsTracesAreExported() {
    let account = Account(retention: 10)
    account.took(1, live: [trace(1), trace(2)])
    account.took(2, live: [trace(2)])
    #expect(account.takeFree(0).isEmpty)
    let first = account.closed(unit(1, 3), exporters: 0b11, now: 0)
    let second = account.closed(unit(2, 3), exporters: 0b11, now: 0)
    #expect(account.settled([first, second], by: 0, now: 0) == [unit(1, 3), unit(2, 3)])
    #expect(account.takeFree(100).isEmpty)
    #expect(account.settled([second], by: 1, now: 100) == [unit(2, 3)])
    #expect(account.takeFree(109).isEmpty)
    #expect(account.takeFree(110) == [2])
    #expect(account.settled([first, second], by: 1, now: 110) == [unit(1, 3)], "each is settled once")
    #expect(account.takeFree(120) == [1])
    #expect(account.takeFree(.max).isEmpty)
  }

  @Test func lateSpansNeedTheirEntryToo() {
    let account = Account(retention: 0)
    let token = account.late([trace(1)], of: 4, exporters: 1, now: 0)
    account.took(4, live: [trace(2)])
    let closed = account.closed(unit(2, 5), exporters: 0, now: 0)
    #expect(account.settled([closed], by: 0, now: 0).isEmpty)
    #expect(account.takeFree(1).isEmpty)
    #expect(account.settled([token], by: 0, now: 1) == [unit(1, 4)])
    #expect(account.takeFree(1) == [4])
  }

  @Test func anEntryOfDuplicatesIsFreeAtOnce() {
    let account = Account(retention: 10)
    account.took(1, live: [])
    #expect(account.takeFree(0) == [1])
    #expect(account.takeFree(0).isEmpty)
  }

  // MARK: Batches that come again

  private let batch = BatchIdentity(origin: .init(high: 1, low: 2, epoch: 3), sequence: 4)

  @Test func aBatchThatIsBeingTakenInIsWaitedFor() {
    let known = KnownBatches()
    let answers = Answers()
    #expect(known.arrived(batch) { answers.add($0) } == .new)
    #expect(known.arrived(batch) { answers.add($0) } == .pending)
    known.concluded(batch, .overload(retryAfter: .seconds(1)))
    #expect(answers.all == [.overload(retryAfter: .seconds(1))])
    #expect(known.arrived(batch) { answers.add($0) } == .new, "what was refused may come again")
    known.concluded(batch, .accepted)
    #expect(known.arrived(batch) { answers.add($0) } == .known)
    #expect(answers.all.count == 1)
  }

  @Test func whatWasKnownBeforeIsKnown() {
    let known = KnownBatches()
    known.restore(nil, [batch])
    #expect(known.arrived(batch) { _ in } == .known)
    let next = KnownBatches()
    next.restore(known.window, [])
    #expect(next.arrived(batch) { _ in } == .known)
  }

  // MARK: Requests that wait for the disk

  @Test func aRequestIsAnsweredWhenItsLastBatchIsWritten() {
    let answers = Answers()
    let requests = Requests()
    let (first, second) = (requests.open(.otlpGRPC), requests.open(.otlpHTTP))
    requests.wait(first, batches: 2)
    requests.wait(second, batches: 1)
    #expect(requests.receiver(of: [second, first]) == .otlpHTTP)
    #expect(requests.close(first, .accepted) { answers.add($0) })
    #expect(requests.close(second, .accepted) { answers.add($0) })
    for answer in requests.settle([first], nil) { answer() }
    #expect(answers.all.isEmpty)
    for answer in requests.settle([first, second], .overload(retryAfter: .zero)) { answer() }
    #expect(answers.all == [.overload(retryAfter: .zero), .overload(retryAfter: .zero)])
    #expect(requests.settle([first, second], nil).isEmpty)
  }

  @Test func aRequestWithoutSpansToKeepWaitsForNothing() {
    let requests = Requests()
    let number = requests.open(.otlpGRPC)
    #expect(!requests.close(number, .accepted) { _ in })
  }
}

/// What was answered.
private final class Answers: Sendable {
  private let state = Mutex<[IntakeVerdict]>([])
  var all: [IntakeVerdict] { state.withLock { $0 } }
  func add(_ verdict: IntakeVerdict) { state.withLock { $0.append(verdict) } }
}

/// The account as a class: what an expectation calls may change it.
private final class Account {
  private var value: JournalAccount

  init(retention: UInt64) { value = JournalAccount(retention: retention) }

  func took(_ entry: UInt64, live: [TraceID]) { value.took(entry, live: live) }
  func closed(_ unit: JournalUnit, exporters: UInt64, now: UInt64) -> UInt64 {
    value.closed(unit, exporters: exporters, now: now)
  }
  func late(_ traces: [TraceID], of entry: UInt64, exporters: UInt64, now: UInt64) -> UInt64 {
    value.late(traces, of: entry, exporters: exporters, now: now)
  }
  func settled(_ tokens: [UInt64], by exporter: Int, now: UInt64) -> [JournalUnit] {
    value.settled(tokens, by: exporter, now: now)
  }
  func takeFree(_ now: UInt64) -> [UInt64] { value.takeFree(now) }
}

/// The waiting requests as a class.
private final class Requests {
  private var value = WaitingRequests()

  func open(_ receiver: ReceiverKind) -> UInt64 { value.open(receiver) }
  func wait(_ number: UInt64, batches: Int) { value.wait(number, batches: batches) }
  func receiver(of numbers: [UInt64]) -> ReceiverKind { value.receiver(of: numbers) }
  func close(_ number: UInt64, _ verdict: IntakeVerdict, _ completion: @escaping (IntakeVerdict) -> Void) -> Bool {
    value.close(number, verdict, completion)
  }
  func settle(_ numbers: [UInt64], _ refusal: IntakeVerdict?) -> [() -> Void] { value.settle(numbers, refusal) }
}
