import Foundation
import TestKit
import Testing

/// The limit is one of the resident size: whatever the senders do, the process stays within it and a tenth, and when
/// they are done there is room again.
@Suite(.fewAtOnce) struct MemoryTests {
  private static let limitMiB = 192

  private func start(_ role: TestedRole, to port: Int) async throws -> LongspanProcess {
    let common = """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "127.0.0.1:0"}
      exporters:
        otlp:
          endpoint: "127.0.0.1:\(port)"
          compression: none
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}
          sending_queue: {max_size_mib: 4096}
      """
    switch role {
    case .relay:
      let limits = "{limit_mib: \(Self.limitMiB), spike_limit_mib: 48}"
      return try await LongspanProcess.start(
        "relay", "region: us-east-1\nprocessors: {batch: {timeout: 20ms}, memory_limiter: \(limits)}\n\(common)")
    case .aggregator:
      return try await LongspanProcess.start(
        "aggregator", "stitching: {idle_timeout: 1s, memory_limit_mib: \(Self.limitMiB)}\n\(common)")
    }
  }

  @Test(arguments: TestedRole.allCases) func theResidentSizeStaysWithinTheLimit(_ role: TestedRole) async throws {
    let port = try FreePort.pick()
    let process = try await start(role, to: port)
    let load = try await Load(process, senders: 6, "--padding", "20000", "--spans", "40")
    let most = (Self.limitMiB << 20) / 10 * 11
    var largest = 0
    let full = try await process.scrape(
      until: {
        largest = max(largest, (try? process.residentMemory()) ?? 0)
        return $0.refused("overload") >= 100
      }, "there is no room")
    #expect(full["longspan_memory_resident_bytes"] > 0)
    let received = full.received
    // The back end comes, and by itself there is room again.
    let sink = try Sink(port: port)
    _ = try await process.scrape(
      until: {
        largest = max(largest, (try? process.residentMemory()) ?? 0)
        return $0.received > received + 400
      }, "there is room again")
    try load.stop()
    let report = try await load.report()
    #expect(largest > 0 && largest <= most, "\(largest) bytes are more than \(most)")
    #expect((report.answers["UNAVAILABLE"] ?? 0) + (report.answers["503"] ?? 0) >= 100, "\(report.answers)")
    #expect(report.hintless == 0, "\(report.answers)")
    // Too many to look at each: all were handed on, and nothing went another way.
    let scrape = try await process.scrapeAtRest()
    scrape.expectBalanced()
    #expect(scrape.outcome("forwarded") >= Double(report.acknowledged.count))
    #expect(scrape.outcomes == scrape.outcome("forwarded") + scrape.outcome("duplicate"))
    #expect(await process.end() == 0)
    withExtendedLifetime(sink) {}
  }

  /// Two bytes a part, and what the walk finds out of each takes a hundred times as much: refused before the walk.
  @Test(arguments: TestedRole.allCases) func emptyMessagesTakeNoRoom(_ role: TestedRole) async throws {
    let process = try await start(role, to: try FreePort.pick())
    let before = try process.residentMemory()
    let body = Data((0..<16 << 20).map { $0 % 2 == 0 ? 0x0a : 0 })
    let call = try await Call.export(try await process.address("otlp_grpc"), body)
    #expect(call.code == "RESOURCE_EXHAUSTED" && call.retry_delay == nil, "\(call)")
    #expect(try process.residentMemory() < before + (80 << 20))
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good()).code == "OK")
  }
}
