import Foundation
import TestKit
import Testing

/// A Prometheus of its own that scrapes one address each second.
final class Prometheus: Sendable {
  private let program: Program
  private let url: String

  private init(_ program: Program, _ url: String) { (self.program, self.url) = (program, url) }

  /// Starts it and waits until it is ready.
  static func start(scraping target: String) async throws -> Prometheus {
    let folder = try Root.temporaryFolder()
    let file = folder.appending(path: "prometheus.yml")
    try """
    global: {scrape_interval: 1s, scrape_timeout: 1s}
    scrape_configs: [{job_name: longspan, static_configs: [{targets: ["\(target)"]}]}]
    """.write(to: file, atomically: true, encoding: .utf8)
    let program = try Program(
      named: "prometheus",
      [
        "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.appending(path: "data").path)",
        "--web.listen-address=127.0.0.1:0",
      ], in: folder)
    let line = try await program.errorLine { $0.contains("Listening on") }
    _ = try await program.errorLine { $0.contains("ready to receive web requests") }
    let address = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") })
    return Prometheus(program, "http://\(address.dropFirst("address=".count))")
  }

  private struct Answer: Decodable {
    struct Result: Decodable {
      var metric: [String: String]
      var value: [Value]
    }

    /// A timestamp, or a sample as text.
    enum Value: Decodable {
      case time(Double)
      case sample(String)

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let time = try? container.decode(Double.self) {
          self = .time(time)
        } else {
          self = .sample(try container.decode(String.self))
        }
      }
    }

    struct Content: Decodable { var result: [Result] }
    var status: String
    var data: Content
  }

  /// The answer to an instant query: values by labels.
  func query(_ expression: String) async throws -> [[String: String]: Double] {
    let run = try await Command.run(
      "curl", ["-sS", "--fail", "--get", "--data-urlencode", "query=\(expression)", url + "/api/v1/query"])
    try #require(run.status == 0, "\(run.errors)\n\(program.errors)")
    let answer = try JSONDecoder().decode(Answer.self, from: run.output)
    #expect(answer.status == "success")
    var values: [[String: String]: Double] = [:]
    for result in answer.data.result {
      if case .sample(let text)? = result.value.last { values[result.metric] = Double(text) }
    }
    return values
  }

  /// Asks until the condition holds or so many scrapes have passed that only a defect can be the cause.
  func query(
    _ expression: String, until condition: ([[String: String]: Double]) -> Bool
  ) async throws -> [[String: String]: Double] {
    var values = try await query(expression)
    for _ in Attempts() {
      if condition(values) { break }
      values = try await query(expression)
    }
    return values
  }

  /// Ends it; its exit status.
  func stop() async -> Int32 { await program.end() }
}
