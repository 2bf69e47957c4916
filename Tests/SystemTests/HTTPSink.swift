import Foundation
import TestKit
import Testing

/// A back end over HTTP that Longspan has no part in (`http_sink.py`); it keeps what it got, read by other people's
/// software.
final class HTTPSink: Sendable {
  /// What is spoken there.
  enum Kind: String, CaseIterable {
    case otlp
    case zipkin
    case elasticsearch

    /// The exporter's type.
    var exporter: String { self == .otlp ? "otlphttp" : rawValue }

    /// The end of the URL that is configured.
    var path: String { self == .zipkin ? "/api/v2/spans" : "" }
  }

  struct Span: Decodable, Hashable {
    var name: String
    var id: String
    var trace: String?
    var index: String?
  }

  struct Request: Decodable {
    var path: String
    var headers: [String: String]
    var spans: [Span]
    /// Everything, as JSON.
    var text: String
  }

  let kind: Kind
  let port: Int
  private let program: Program

  /// Starts it; `options` are `http_sink.py`'s.
  init(_ kind: Kind, _ options: String...) async throws {
    self.kind = kind
    let folder = try Root.temporaryFolder()
    program = try Program(peer: "http_sink.py", [kind.rawValue, folder.path] + options, in: folder)
    let words = try await program.outputLine { $0.hasPrefix("listening") }.split(separator: " ")
    port = try #require(words.last.flatMap { Int($0) })
  }

  /// The URL that is configured.
  var url: String { "http://127.0.0.1:\(port)\(kind.path)" }

  /// The exporter's section towards it, without its name.
  func section(_ more: String = "") -> String {
    let retry = "retry_on_failure: {initial_interval: 50ms, max_interval: 100ms}"
    return "{endpoint: \"\(url)\", \(retry)\(more.isEmpty ? "" : ", " + more)}"
  }

  /// When it refused requests, and when it accepted some, in seconds of one monotonic clock.
  func refusals() -> [Double] { times("refusals") }
  func acceptances() -> [Double] { times("acceptances") }

  private func times(_ name: String) -> [Double] { lines(name).compactMap { Double($0) } }

  /// What did not hold by the format's rules.
  var wrong: [String] { lines("wrong") }

  private func lines(_ name: String) -> [String] {
    let text = (try? String(contentsOf: program.folder.appending(path: name), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// The requests so far, in the order they came.
  func requests() throws -> [Request] {
    let names = try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
    return try names.filter { $0.hasSuffix(".json") }.sorted().map { name in
      try JSONDecoder().decode(Request.self, from: Data(contentsOf: program.folder.appending(path: name)))
    }
  }

  /// Every span so far.
  func spans() throws -> [Span] { try requests().flatMap(\.spans) }

  /// Waits until so many spans came; fails the test when they never do.
  @discardableResult
  func spans(atLeast count: Int, location: SourceLocation = #_sourceLocation) async throws -> [Span] {
    for _ in Attempts() {
      let spans = try spans()
      if spans.count >= count { return spans }
      _ = try await Command.run("true", [])
    }
    Issue.record("only \(try spans().count) of \(count) spans came; \(wrong)", sourceLocation: location)
    return try spans()
  }
}
