import Foundation
import Testing

/// `longspan demo`, run as a newcomer runs it.
@Suite(.fewAtOnce) struct DemoTests {
  private static let pairs = ["us-east-1 -> us-west-2", "us-east-1 -> eu-west-1", "eu-west-1 -> us-east-1"]

  /// The estimated and the true count in a line of the table, the first and the last pair of its columns.
  private struct Row {
    var estimated: Double
    var actual: Double
    var callsPerSecond: Double

    init?(_ pair: String, in lines: [Substring]) {
      guard let line = lines.last(where: { $0.hasPrefix(pair) }) else { return nil }
      let cells = line.dropFirst(pair.count).split(separator: " ")
      guard cells.count >= 4, let calls = Double(cells[0]), let estimated = Double(cells[cells.count - 2]),
        let actual = Double(cells[cells.count - 1])
      else { return nil }
      (self.callsPerSecond, self.estimated, self.actual) = (calls, estimated, actual)
    }
  }

  /// What an accounts line says: `NAME: received N spans = A forwarded + B sampled_out + C held`.
  private static func accounts(_ name: String, in lines: [Substring]) -> (received: Int, left: [String: Int])? {
    guard let line = lines.last(where: { $0.hasPrefix(name + ": received") }) else { return nil }
    let words = line.dropFirst(name.count + 2).split(separator: " ")
    var left: [String: Int] = [:]
    for (number, word) in zip(words, words.dropFirst()) { if let number = Int(number) { left[String(word)] = number } }
    return left.removeValue(forKey: "spans").map { ($0, left) }
  }

  @Test func theSummaryAgreesWithItself() async throws {
    let run = try await Command.run(LongspanProcess.binary.path, ["demo", "--duration", "3", "--seed", "7"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(!run.output.contains(0x1b), "no control characters where there is no terminal")
    for second in 1...3 { #expect(run.text.contains("second \(second) of 3")) }
    #expect(run.text.contains("http://127.0.0.1:"))
    #expect(!run.text.contains("spans no relay took"))

    let summary = try #require(run.text.range(of: "Summary:"))
    let lines = run.text[summary.lowerBound...].split(separator: "\n")
    // 40 visits each second; one in ten ends with the product's failure.
    let visits = 120.0
    #expect(lines[0].hasPrefix("Summary: 120 traces with"))
    var rows: [String: Row] = [:]
    for pair in Self.pairs {
      let row = try #require(Row(pair, in: lines), "\(run.text)")
      #expect(row.actual == (pair == Self.pairs[0] ? visits : visits * 0.9))
      // Each kept trace stands for two: an even number, within five standard deviations of the truth.
      #expect(row.estimated.truncatingRemainder(dividingBy: 2) == 0)
      #expect(abs(row.estimated - row.actual) <= 5 * row.actual.squareRoot())
      #expect(row.callsPerSecond > 0)
      rows[pair] = row
    }
    var received = 0
    var forwarded: [String: Int] = [:]
    for region in ["us-east-1", "us-west-2", "eu-west-1"] {
      let account = try #require(Self.accounts("relay in \(region)", in: lines), "\(run.text)")
      #expect(account.received == account.left.values.reduce(0, +))
      #expect(account.left["held"] == 0)
      #expect(Set(account.left.keys).isSubset(of: ["forwarded", "sampled_out", "held"]), "nothing is lost")
      forwarded[region] = account.left["forwarded"]
      received += account.received
    }
    #expect(lines[0].contains(" \(received) spans in"))
    let account = try #require(Self.accounts("aggregator", in: lines))
    #expect(account.received == forwarded.values.reduce(0, +))
    #expect(account.left == ["forwarded": account.received, "held": 0])
    // A visit leaves two spans in us-west-2 and, where it comes to an order, three in eu-west-1.
    #expect(rows[Self.pairs[0]]?.estimated == forwarded["us-west-2"].map { Double(2 * $0 / 2) })
    #expect(rows[Self.pairs[1]]?.estimated == forwarded["eu-west-1"].map { Double(2 * $0 / 3) })
    #expect(rows[Self.pairs[1]]?.estimated == rows[Self.pairs[2]]?.estimated)
  }

  @Test(arguments: [SIGINT, SIGTERM]) func aSignalEndsItWithTheSummary(_ signal: Int32) async throws {
    let demo = try Program(
      LongspanProcess.binary.path, ["demo", "--duration", "0", "--seed", "7"], in: try Root.temporaryFolder())
    _ = try await demo.outputLine { $0.hasPrefix("second 1 (Ctrl-C ends the demo)") }
    let served = try await demo.outputLine { $0.contains("aggregator") && $0.contains("http://") }
    let url = String(try #require(served.split(separator: " ").last))
    let metrics = try await Command.run("curl", ["-sS", "--fail", url])
    #expect(metrics.text.contains("trace_count"))
    #expect(await demo.end(signal) == 0)
    let lines = await demo.wholeOutput().split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("Summary:") })
    let account = try #require(Self.accounts("aggregator", in: lines))
    #expect(account.left == ["forwarded": account.received, "held": 0])
  }

  /// `longspan demo | head` ends when `head` does, and a full disk is no reason to crash.
  @Test func itEndsWhenNobodyReads() async throws {
    let script = "\"$0\" demo --duration 0 | head -1; exit ${PIPESTATUS[0]}"
    let run = try await Command.run("bash", ["-c", script, LongspanProcess.binary.path])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.count == 1)
    let full = "\"$0\" validate --role relay --config /no/such/file 2>/dev/full"
    #expect(try await Command.run("bash", ["-c", full, LongspanProcess.binary.path]).status == 78)
  }

  /// On a terminal, which `script` (Debian package bsdutils) makes, the table is drawn over the last one.
  @Test func aTerminalShowsOneTable() async throws {
    let run = try await Command.run(
      "script", ["-qec", "'\(LongspanProcess.binary.path)' demo --duration 2 --seed 7", "/dev/null"])
    #expect(run.status == 0, "\(run.text)")
    // Back over title, two lines of headings and three pairs.
    #expect(run.text.components(separatedBy: "\u{1b}[6A").count == 2, "\(run.text)")
    #expect(run.text.contains("Summary: 80 traces"))
  }
}
