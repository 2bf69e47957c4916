import Compression
import FaultProxy
import Testing

@testable import Load

/// Generator and sink against each other, in this process.
@Suite(.timeLimit(.minutes(2))) struct MeasuringSinkTests {
  static func plan(
    _ sink: MeasuringSink, _ transport: LoadProtocol, _ coding: ContentCoding, requests: Int = 60, pool: Int = 0
  ) throws -> LoadPlan {
    let endpoint = try #require(SocketEndpoint(sink.address))
    return LoadPlan(
      host: endpoint.host, port: endpoint.port, transport: transport, coding: coding, connections: 3,
      pace: .inFlight(transport == .http ? 1 : 4), end: .requests(requests), threads: 2, pool: pool,
      traffic: Traffic(.fragments, spansPerRequest: 20))
  }

  @Test(arguments: LoadProtocol.allCases, ContentCoding.allCases) func bothCountTheSame(
    _ transport: LoadProtocol, _ coding: ContentCoding
  ) async throws {
    let sink = try await MeasuringSink.start(threads: 2)
    let report = try await LoadRun.run(try Self.plan(sink, transport, coding))
    #expect(report.answers == [transport == .grpc ? "OK" : "200": 60])
    #expect(report.requests == 60 && report.spans == 1200 && report.acceptedSpans == 1200)
    let counts = await sink.counts
    #expect(counts.requests == 60 && counts.spans == 1200 && counts.bytes == report.bytes)
    #expect(counts.refused == 0 && counts.malformed == 0)
    let bytesPerSpan = Double(report.bytes) / 1200
    // Twenty spans of 490 bytes have little in common to leave out, and their IDs nothing.
    #expect(coding == .identity ? bytesPerSpan > 400 : (60...250).contains(bytesPerSpan), "\(bytesPerSpan)")
    try await sink.stop()
  }

  @Test func anOpenLoopSendsAll() async throws {
    let sink = try await MeasuringSink.start()
    var plan = try Self.plan(sink, .http, .zstd, pool: 7)
    plan.pace = .perSecond(100_000)
    plan.warmup = 10
    let report = try await LoadRun.run(plan)
    #expect(report.answers == ["200": 60])
    #expect(await sink.counts.spans == 1200)
    #expect(report.latency["p50"] ?? 0 > 0 && report.latency["max"] ?? 0 >= report.latency["p99"] ?? .infinity)
    try await sink.stop()
  }

  @Test(arguments: LoadProtocol.allCases) func aShareIsRefused(_ transport: LoadProtocol) async throws {
    let sink = try await MeasuringSink.start(SinkConditions(refused: 0.25))
    let report = try await LoadRun.run(try Self.plan(sink, transport, .identity, requests: 48))
    #expect(report.answers == (transport == .grpc ? ["OK": 36, "UNAVAILABLE": 12] : ["200": 36, "503": 12]))
    let counts = await sink.counts
    #expect(counts.refused == 12 && counts.spans == report.acceptedSpans && report.spans == 960)
    try await sink.stop()
  }

  @Test func aSinkVanishesAndComesBack() async throws {
    let sink = try await MeasuringSink.start()
    #expect(try await sink.obey("vanish") == #"{"bytes":0,"malformed":0,"refused":0,"requests":0,"spans":0}"#)
    var plan = try Self.plan(sink, .grpc, .identity)
    plan.patience = .milliseconds(50)
    await #expect(throws: LoadFailure.self) { try await LoadRun.run(plan) }
    #expect(try await sink.obey("return").contains(#""requests":0"#))
    plan.patience = .seconds(30)
    #expect(try await LoadRun.run(plan).acceptedSpans == 1200)
    #expect(try await sink.obey("dance").hasPrefix("error: "))
    try await sink.stop()
  }

  @Test(arguments: [
    ("delay 50ms", SinkCommand.delay(.milliseconds(50))), ("refuse 0.5", .refuse(0.5)), ("vanish", .vanish),
    ("return", .comeBack), (" status ", .status),
  ]) func understood(_ line: String, _ command: SinkCommand) { #expect(SinkCommand(line) == command) }

  @Test(arguments: ["", "refuse", "refuse 2", "refuse x", "delay", "vanish now"]) func refused(_ line: String) {
    #expect(SinkCommand(line) == nil)
  }
}
