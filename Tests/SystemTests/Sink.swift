import Foundation
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

/// A back end that Longspan has no part in: grpcio's server, which keeps every request as it came.
final class Sink: Sendable {
  let port: Int
  private let process: ChildProcess
  private let input: Pipe
  private let folder: URL
  private let decoded = Mutex<[String: Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest]>([:])

  /// Starts it; it refuses the first so many requests. A port of 0 picks a free one; `options` are `sink.py`'s.
  init(refusing refusals: Int = 0, port wanted: Int = 0, _ options: String...) throws {
    folder = try Root.temporaryFolder()
    let output = Pipe()
    input = Pipe()
    process = try ChildProcess(
      Root.python, [Root.peer("sink.py"), folder.path, "--refuse", "\(refusals)", "--port", "\(wanted)"] + options,
      input: input.fileHandleForReading, output: output.fileHandleForWriting, errors: .standardError)
    try output.fileHandleForWriting.close()
    var line = Data()
    while !line.contains(0x0a) {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "the sink ended before it listened")
      line.append(more)
    }
    let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    port = try #require(words.count == 2 ? Int(words[1]) : nil)
  }

  deinit {
    process.signal(SIGKILL)
    try? FileManager.default.removeItem(at: folder)
  }

  /// When it refused requests, and when it accepted some, in seconds of one monotonic clock.
  func refusals() -> [Double] { times("refusals") }
  func acceptances() -> [Double] { times("acceptances") }

  private func times(_ name: String) -> [Double] {
    let text = (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { Double($0) }
  }

  /// The raw requests so far, in the order they came.
  func requests() throws -> [Data] {
    try names().map { try Data(contentsOf: folder.appending(path: $0)) }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".otlp") }.sorted()
  }

  /// The requests so far, decoded by swift-protobuf.
  func exports() throws -> [Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest] {
    try names().map { name in
      // Tests look again and again until all has come.
      if let export = decoded.withLock({ $0[name] }) { return export }
      let export = try Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest(
        serializedBytes: try Data(contentsOf: folder.appending(path: name)))
      decoded.withLock { $0[name] = export }
      return export
    }
  }

  /// What the requests' metadata said under this key, each request by itself, in the order of `exports`.
  func metadata(_ key: String) throws -> [[String]] {
    try names().map { name in
      let file = folder.appending(path: name.replacing(".otlp", with: ".metadata"))
      let fields = try JSONDecoder().decode([[String]].self, from: Data(contentsOf: file))
      return fields.filter { $0.first == key }.compactMap(\.last)
    }
  }

  /// Every span so far.
  func spans() throws -> [Opentelemetry_Proto_Trace_V1_Span] {
    try exports().flatMap { $0.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
  }

  /// Waits until so many spans came; fails the test when they never do.
  func spans(
    atLeast count: Int, location: SourceLocation = #_sourceLocation
  ) async throws -> [Opentelemetry_Proto_Trace_V1_Span] {
    for _ in Attempts() {
      let spans = try spans()
      if spans.count >= count { return spans }
      _ = try await Command.run("true", [])
    }
    Issue.record("only \(try spans().count) of \(count) spans came", sourceLocation: location)
    return try spans()
  }
}
