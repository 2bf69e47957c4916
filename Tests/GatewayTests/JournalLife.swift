import Delivery
import Foundation
import HTTP2Engine
import Intake
import Logging
import NIOCore
import NIOPosix
import Stitching
import Synchronization
import Telemetry
import Tenancy
import TestKit
import TraceWire
import Transport

@testable import DiskLog
@testable import Gateway

/// How an aggregator of a model's is set up; the same in all its lives.
struct JournalSettings: Sendable {
  var exporters: [String]
  var journalBytesMax = Int.max
  var maxLiveTraces = 1000
  var tuning = DiskLogTuning()
}

/// One life of an aggregator inside the test: lanes on event loops over a journal in a folder. Its shards' time is the
/// test's own and stands still unless it is moved on.
final class JournalLife: Sendable {
  static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  static let retention = Duration.seconds(60)
  private static let ahead: UInt64 = 3_600_000_000_000

  let witness = JournalWitness()
  let camera: JournalCamera
  let journal: AggregatorJournal
  let shared: AggregatorShared
  let lanes: PerLoop<AggregatorLane>
  /// The records that were there when it began, and the last that ever was.
  let found: [DiskLogEntry]
  let last: UInt64
  private let folder: String
  private let base: FlowSnapshot?
  private let exporterLanes: [PerLoop<ExporterLane>]
  private let backEnds: [FakeBackEnd]
  private let listeners: [Listeners]
  private let clock: Mutex<UInt64>

  /// Begins a life on what a crash has left. Without `exports` its exporters never connect.
  init(
    _ files: [String: [UInt8]], _ settings: JournalSettings, seed: UInt64, picturesOneIn: Int, exports: Bool
  ) async throws {
    let isInMemory = FileManager.default.isWritableFile(atPath: "/dev/shm")
    folder = (isInMemory ? "/dev/shm" : NSTemporaryDirectory()) + "/journal-\(UUID().uuidString)"
    let path = folder + "/journal.sqlite"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (suffix, bytes) in files { try Data(bytes).write(to: URL(filePath: path + suffix)) }
    let camera = JournalCamera(path: path, seed: seed, oneIn: picturesOneIn, witness: witness)
    self.camera = camera
    var tuning = settings.tuning
    tuning.probe = { camera.see($0) }
    let log = try DiskLog.open(
      DiskLogOptions(directory: folder, name: "journal", maxBytes: settings.journalBytesMax), tuning)
    let logger = Logger(label: "model") { _ in SwiftLogNoOpLogHandler() }
    journal = AggregatorJournal(log, exporters: settings.exporters, logger: logger)
    var found: [DiskLogEntry] = []
    try log.index { found.append($0) }
    self.found = found
    last = max(found.last?.address ?? 0, try journal.lastCheckpoint()?.through ?? 0)
    camera.follow(log, next: last + 1)

    let loops = Array(Self.group.makeIterator())
    let ledger = SpanLedger()
    let budget = ByteBudget(limit: 1 << 30, spike: 1 << 20)
    var random = SeededGenerator(seed: seed)
    let secret = KeyedHash(using: &random)
    var flowLimits = FlowLimits()
    flowLimits.linkTTL = .seconds(1 << 20)
    let names = FlowNames(limits: flowLimits)
    var stitching = StitchingLimits()
    stitching.maxLiveTraces = settings.maxLiveTraces
    backEnds = settings.exporters.indices.map { [witness] in
      FakeBackEnd(exporter: $0, seed: seed &+ UInt64($0), witness: witness)
    }
    var listeners: [Listeners] = []
    if exports { for backEnd in backEnds { listeners.append(try await backEnd.listen(on: Self.group)) } }
    self.listeners = listeners
    let exporters = try settings.exporters.enumerated().map { place, name in
      let port = listeners.dropFirst(place).first?.addresses[0].address.split(separator: ":").last.flatMap { Int($0) }
      var section = ExporterConfiguration(name: name, host: "127.0.0.1", port: port ?? 9, compression: .none)
      section.tls = nil
      section.retry.initialInterval = .milliseconds(1)
      section.retry.maxInterval = .milliseconds(2)
      return try Exporter(
        section, tenantHeader: "x-scope-orgid", lanes: loops.count, ledger: ledger, budget: budget, logger: logger)
    }
    let shared = AggregatorShared(
      shardMap: ShardMap(shardCount: loops.count, hash: secret.derived(0)), ledger: ledger, budget: budget,
      fanOut: exporters.isEmpty ? nil : ExporterFanOut(exporters.map(\.counters)),
      batchLimits: BatchLimits(timeout: .seconds(3600), sendBatchSize: 40, sendBatchMaxSize: 0),
      retryAfter: .seconds(1), journal: journal,
      tenants: ModelTenants.new())
    self.shared = shared
    var exporterLanes: [PerLoop<ExporterLane>] = []
    for exporter in exporters {
      exporterLanes.append(
        try await PerLoop(on: loops) { loop, number in
          ExporterLane(exporter, number: number, loop: loop, bulk: loop, seed: seed)
        })
    }
    self.exporterLanes = exporterLanes
    let now = NIODeadline.now().uptimeNanoseconds + Self.ahead
    clock = Mutex(now)
    let bulk = try await PerLoop(on: loops) { _, _ in AggregatorStage(shared) }
    let lanes = try await PerLoop(on: loops) { [exporterLanes, stitching, flowLimits] loop, number in
      AggregatorLane(
        shared,
        shard: StitchingShard(
          limits: stitching.divided(by: loops.count), flow: flowLimits.divided(by: loops.count), names: names,
          hash: secret.derived(UInt64(number) + 1), now: now, asksBeforeClosing: true),
        exporters: exporterLanes.map { $0.value(on: loop) }, bulk: bulk, turns: Turns(loop),
        retention: Self.retention, number: number, loop: loop)
    }
    self.lanes = lanes
    _ = await lanes.map { $0.connect(lanes) }
    let replay = JournalReplay(
      journal: journal, shared: shared, lanes: lanes, names: names, limits: flowLimits, requestBytesMax: 1 << 20,
      logger: logger)
    base = try await replay.run()
    if exports { for lanes in exporterLanes { _ = await lanes.map { $0.start() } } }
  }

  /// Ends it, as far as a test can: nobody sees any more of it.
  func end() async {
    for listener in listeners { await listener.drain(within: .zero) }
    for lanes in exporterLanes { _ = await lanes.map { $0.close() } }
    // Lanes hold each other; what is not let go of would look for its back end for ever.
    if let nobody = try? await PerLoop<AggregatorLane>(on: [], { _, _ in throw CancellationError() }) {
      _ = await lanes.map { $0.connect(nobody) }
    }
    camera.stop()
    await journal.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  // MARK: What is done to it

  /// A relay sends a batch.
  func send(_ batch: ModelBatch, number: Int, over lane: Int) {
    let request = IntakeRequest(
      body: batch.body, receiver: .otlpGRPC, peer: PeerIdentity(address: "127.0.0.1", region: batch.peerRegion),
      tenant: batch.tenant.flatMap { shared.tenants.known($0) }, batch: batch.identity)
    lanes.execute(on: lane) { [witness] lane in
      lane.consume(request) { verdict in witness.answered(number, withSuccess: verdict == .accepted) }
    }
  }

  /// Time goes by: traces close that were idle for ten seconds, and entries are released when the retention is over.
  func wait(seconds: UInt64) {
    let now = clock.withLock { clock in
      clock += seconds * 1_000_000_000
      return clock
    }
    let isRetentionOver = seconds >= UInt64(Self.retention.components.seconds)
    for number in 0..<lanes.count {
      lanes.execute(on: number) { lane in
        _ = lane.shard.advance(to: now)
        lane.askForClosings()
        if isRetentionOver { lane.releaseEntries(NIODeadline.now().uptimeNanoseconds + seconds * 1_000_000_000) }
      }
    }
  }

  /// Sends what waits for company.
  func sealBatches() {
    for number in 0..<lanes.count {
      lanes.execute(on: number) { lane in
        lane.sealed += lane.batcher.seal()
        lane.dispatchSealed()
      }
    }
  }

  /// Writes a checkpoint.
  func checkpoint(then done: @escaping @Sendable () -> Void) {
    for number in 0..<lanes.count {
      lanes.execute(on: number) { $0.releaseEntries(NIODeadline.now().uptimeNanoseconds) }
    }
    journal.checkpoint(lanes, base: base, known: shared.known, then: done)
  }

  func answerPondered() { for backEnd in backEnds { backEnd.answerPondered() } }
  func becomeWilling() { for backEnd in backEnds { backEnd.becomeWilling() } }

  /// Waits until everything that was given to lanes and journal before has had its effect there.
  func settleDown() async {
    for _ in 0..<2 {
      _ = await lanes.map { _ in }
      await withCheckedContinuation { done in journal.log.read([]) { _ in done.resume() } }
    }
    _ = await lanes.map { _ in }
  }

  /// Waits for something that is sure to come; false where it did not.
  func wait(until isSo: () -> Bool) async -> Bool {
    let deadline = NIODeadline.now() + .seconds(20)
    while !isSo() {
      guard NIODeadline.now() < deadline else { return false }
      await settleDown()
    }
    return true
  }

  // MARK: What is seen of it

  /// The metrics that the model has too, by name and labels.
  func flows() async -> [String: Double] {
    var all = base
    for part in await lanes.map({ $0.flows() }) { if all == nil { all = part } else { all?.merge(part) } }
    let names: Set = [
      "trace_count", "region_flow_requests_total", "stitching_traces_total", "trace_duration_seconds",
      "stitching_unmatched_entries_total", "stitching_late_spans_total", "stitching_duplicate_spans_total",
    ]
    var flows: [String: Double] = [:]
    for family in all?.families() ?? [] where names.contains(family.name) {
      for sample in family.samples {
        let key = ([family.name] + sample.labels.map(\.value)).joined(separator: "|")
        switch sample.value {
        case .number(let value): if value != 0 { flows[key] = value }
        case .histogram(let histogram): flows[key] = histogram.count
        }
      }
    }
    return flows
  }

  func openTraces(of ids: some Sequence<TraceID>) async -> Set<TraceID> {
    let ids = Array(ids)
    let parts = await lanes.map { lane in ids.filter { lane.shard.isLive($0) } }
    return Set(parts.joined())
  }

  /// What was received in this life, and where it is: the latter should be the former.
  var balance: (received: Int, left: Int, held: Int) {
    (
      ReceiverKind.allCases.reduce(0) { $0 + shared.ledger.received($1) },
      Outcome.allCases.reduce(0) { $0 + shared.ledger.left($1) },
      HeldStage.allCases.reduce(0) { $0 + shared.ledger.held($1) }
    )
  }
}
