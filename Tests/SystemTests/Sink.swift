import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// A back end that Longspan has no part in: grpcio's server, which keeps every request as it came.
final class Sink: Sendable {
  let port: Int
  private let process: Process
  private let input: Pipe
  private let folder: URL

  /// Starts it; it refuses the first so many requests. A port of 0 picks a free one.
  init(refusing refusals: Int = 0, port wanted: Int = 0) throws {
    folder = try Root.temporaryFolder()
    process = Process()
    process.executableURL = URL(filePath: Root.python)
    process.arguments = [Root.peer("sink.py"), folder.path, "--refuse", "\(refusals)", "--port", "\(wanted)"]
    let output = Pipe()
    input = Pipe()
    process.standardOutput = output
    process.standardInput = input
    try process.run()
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
    if process.isRunning { process.terminate() }
    try? FileManager.default.removeItem(at: folder)
  }

  /// The raw requests so far, in the order they came.
  func requests() throws -> [Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".otlp") }
    return try names.sorted().map { try Data(contentsOf: folder.appending(path: $0)) }
  }

  /// The requests so far, decoded by swift-protobuf.
  func exports() throws -> [Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest] {
    try requests().map { try Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest(serializedBytes: $0) }
  }

  /// Every span so far.
  func spans() throws -> [Opentelemetry_Proto_Trace_V1_Span] {
    try exports().flatMap { $0.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
  }

  /// Waits until so many spans came; fails the test when they never do.
  func spans(
    atLeast count: Int, location: SourceLocation = #_sourceLocation
  ) async throws -> [Opentelemetry_Proto_Trace_V1_Span] {
    for _ in 0..<3000 {
      let spans = try spans()
      if spans.count >= count { return spans }
      _ = try await Command.run("true", [])
    }
    Issue.record("only \(try spans().count) of \(count) spans came", sourceLocation: location)
    return try spans()
  }
}
