import Foundation
import TestKit
import Testing

/// Destinations that do with a relay's connections what no right server does: the relay keeps its spans and its memory,
/// tries again at a measured pace, says what is wrong, and delivers everything once a right server is there.
@Suite(.fewAtOnce) struct HostileUpstreamTests {
  /// A behaviour of `hostile_upstream.py`, and the word by which the relay's metrics tell it: a code of
  /// `longspan_exporter_requests_total` in capitals, otherwise a reason of `longspan_exporter_connections_closed_total`.
  struct Case: Sendable {
    var behaviour: String
    var word: String

    init(_ behaviour: String, _ word: String) { (self.behaviour, self.word) = (behaviour, word) }
  }

  /// They go one after the other to one relay.
  enum Group: String, CaseIterable {
    case leaving
    case silent
    case answering
    case flooding

    var cases: [Case] {
      switch self {
      case .leaving:
        [
          Case("resets_streams", "UNAVAILABLE"), Case("refuses_streams", "UNAVAILABLE"),
          Case("goes_away_at_once", "going_away"), Case("goes_away_on_requests", "going_away"),
          Case("closes_at_once", "closed"), Case("closes_on_requests", "closed"), Case("allows_no_streams", "closed"),
        ]
      case .silent:
        [
          Case("never_opens_the_window", "DEADLINE_EXCEEDED"), Case("gives_no_credit", "DEADLINE_EXCEEDED"),
          Case("never_reads", "DEADLINE_EXCEEDED"), Case("says_nothing", "timeout"),
          Case("never_answers", "DEADLINE_EXCEEDED"), Case("pings_and_never_answers", "DEADLINE_EXCEEDED"),
          Case("endless_small_body", "DEADLINE_EXCEEDED"),
        ]
      case .answering:
        [
          Case("answers_garbage", "http2_protocol_error"), Case("answers_garbage_frames", "http2_compression_error"),
          Case("answers_without_status", "UNAVAILABLE"), Case("answers_without_grpc_status", "UNAVAILABLE"),
          Case("answers_503", "UNAVAILABLE"), Case("header_bomb", "UNAVAILABLE"),
          Case("huge_trailers", "UNAVAILABLE"), Case("endless_body", "UNAVAILABLE"),
          Case("promises_pushes", "http2_protocol_error"),
        ]
      case .flooding:
        [
          Case("goaway_flood", "http2_goaway_flood"), Case("ping_flood", "http2_ping_flood"),
          Case("settings_flood", "http2_settings_flood"), Case("settings_flood_at_once", "http2_settings_flood"),
          Case("window_update_flood", "http2_window_update_flood"),
          Case("unknown_frame_flood", "http2_unknown_frame_flood"),
          Case("interim_response_flood", "http2_header_flood"), Case("empty_data_flood", "http2_empty_data_flood"),
          Case("continuation_flood", "http2_continuation_flood"),
        ]
      }
    }
  }

  private static let growthMax = 64 << 20

  @Test(arguments: Group.allCases) func spansWaitForARightServer(_ group: Group) async throws {
    let port = try FreePort.pick()
    let relay = try await LongspanProcess.start(
      "relay",
      """
      region: us-east-1
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      processors: {batch: {timeout: 50ms}}
      exporters:
        otlp:
          endpoint: "127.0.0.1:\(port)"
          compression: none
          connections: 2
          timeout: 300ms
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 100ms, max_interval: 400ms}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let load = try await Load(relay, senders: 2, "--requests", "5", "--spans", "100", "--padding", "2000")
    let report = try await load.report()
    #expect(report.acknowledged.count == 1000)
    let memory = try relay.residentMemory()
    for example in group.cases {
      try await endure(example, at: port, relay)
      let grown = try relay.residentMemory() - memory
      #expect(grown < Self.growthMax, "\(example.behaviour): \(grown >> 10) KiB more")
    }
    let sink = try Sink(port: port)
    try await sink.expect(report.acknowledged)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 1000)
    scrape.expectBalanced()
    #expect(await relay.end() == 0)
  }

  /// Has the relay meet a behaviour until it has told it a few times.
  private func endure(_ example: Case, at port: Int, _ relay: LongspanProcess) async throws {
    let upstream = try HostileUpstream(port: port, example.behaviour)
    try await upstream.connected()
    let before = try await relay.scrape()
    let isCode = example.word == example.word.uppercased()
    let metric = isCode ? "longspan_exporter_requests_total" : "longspan_exporter_connections_closed_total"
    let label = (isCode ? "code" : "reason") + "=\"\(example.word)\""
    let failing = try await relay.scrape(
      until: { $0.sum(metric, label) >= before.sum(metric, label) + 3 }, "\(example.behaviour): \(label)")
    #expect(failing.outcomes == 0, "\(example.behaviour)")
    #expect(failing.held == 1000, "\(example.behaviour)")
    #expect(relay.isRunning, "\(example.behaviour)")
    // Each of two connections is tried at most once in 50 ms (100 ms less jitter); who does not wait tries hundreds.
    let seen = try await upstream.counts()
    #expect(seen.burst <= 30, "\(example.behaviour): \(seen)")
    await upstream.end()
  }
}

/// A destination that does what none should (`hostile_upstream.py`).
final class HostileUpstream: Sendable {
  /// What came to it.
  struct Counts: Decodable, Sendable {
    var connections: Int
    var requests: Int
    /// Connections within 100 ms, at most.
    var burst: Int
  }

  private let program: Program

  init(port: Int, _ behaviour: String) throws {
    program = try Program(peer: "hostile_upstream.py", ["\(port)", behaviour])
  }

  /// Waits for the first connection.
  func connected() async throws { _ = try await program.outputLine { $0 == "connected" } }

  /// Asks, once, what came so far.
  func counts() async throws -> Counts {
    try program.tell("\n")
    let line = try await program.outputLine { $0.hasPrefix("{") }
    return try JSONDecoder().decode(Counts.self, from: Data(line.utf8))
  }

  /// Ends it and its connections.
  func end() async { _ = await program.end(SIGKILL) }
}
