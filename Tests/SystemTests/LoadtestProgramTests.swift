import Foundation
import Testing

/// The load generator and the measuring sink as programs, against each other. Nothing here asks how long it took.
@Suite(.fewAtOnce) struct LoadtestProgramTests {
  static var binary: URL {
    if let path = ProcessInfo.processInfo.environment["LONGSPAN_LOADTEST_BINARY"] { return URL(filePath: path) }
    return Root.url.appending(path: ".build/debug/longspan-loadtest")
  }

  struct Report: Decodable {
    var requests: Int
    var acceptedSpans: Int
    var answers: [String: Int]
    var bytes: Int
    var latency: [String: Double]
  }

  struct Counts: Decodable {
    var requests: Int
    var spans: Int
    var bytes: Int
  }

  @Test(arguments: [
    ["--protocol", "grpc"], ["--protocol", "http", "--compression", "gzip"],
    ["--protocol", "grpc", "--compression", "zstd", "--layout", "fragments", "--rate", "100000"],
  ]) func overTLS(_ options: [String]) async throws {
    let authority = try await Authority()
    let server = try await authority.issue("DNS:sink.example.com")
    let client = try await authority.issue(region: "us-east-1")
    let sink = try Program(
      Self.binary.path,
      ["sink", "--cert", server.certificate, "--key", server.key, "--client-ca", authority.certificate],
      in: Root.temporaryFolder(), listens: true)
    let address = try await sink.outputLine { $0.hasPrefix("listening ") }.dropFirst("listening ".count)
    let run = try await Command.run(
      Self.binary.path,
      [
        "generate", "--to", String(address), "--ca", authority.certificate, "--server-name", "sink.example.com",
        "--cert", client.certificate, "--key", client.key, "--connections", "3", "--requests", "300", "--spans", "10",
      ] + options)
    try #require(run.status == 0, "\(run.errors)")
    let report = try JSONDecoder().decode(Report.self, from: run.output)
    #expect(report.requests == 300)
    #expect(report.acceptedSpans == 3000)
    #expect(report.answers.values.reduce(0, +) == 300 && report.answers.count == 1)
    #expect(Set(report.latency.keys) == ["p50", "p90", "p99", "p99.9", "max"])
    try sink.tell("status\n")
    let line = try await sink.outputLine { $0.hasPrefix("{") }
    let counts = try JSONDecoder().decode(Counts.self, from: Data(line.utf8))
    #expect(counts.requests == 300 && counts.spans == 3000 && counts.bytes == report.bytes)
    #expect(await sink.end() == 0)
    #expect(sink.output.hasSuffix("}"))
  }

  @Test(arguments: [
    ["generate"], ["generate", "--to", "localhost:1", "--spans", "0"],
    ["generate", "--to", "localhost:1", "--cert", "x"], ["sink", "--refuse", "2"],
    ["generate", "--to", "localhost:1", "--requests", "1", "--duration", "1s"],
    ["scale", "kept=2"], ["scale", "exports=1"], ["scale", "cores=1.5"], ["scale", "idleTimeout"],
  ]) func wrongUsage(_ arguments: [String]) async throws {
    #expect(try await Command.run(Self.binary.path, arguments).status == 64)
  }

  @Test func sizesAreTheSameEachTime() async throws {
    let costs = Root.url.appending(path: "loadtest/costs.json").path
    let arguments = [
      "scale", "--costs", costs, "--rate", "50000", "--rate", "1e5", "--counting", "seconds=2", "cores=2",
    ]
    let table = try await Command.run(Self.binary.path, arguments)
    #expect(table.status == 0 && table.output.split(separator: UInt8(ascii: "\n")).count == 4, "\(table.errors)")
    #expect(try await Command.run(Self.binary.path, arguments).output == table.output)
    let rows = try await Command.run(Self.binary.path, arguments + ["--json"]).output
    let decoded = try #require(try JSONSerialization.jsonObject(with: rows) as? [[String: Any]])
    #expect(decoded.count == 2 && decoded.allSatisfy { $0["aggregator"] != nil })
  }
}
