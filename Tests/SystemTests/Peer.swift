import Foundation
import TestKit
import Testing

/// Many senders at once that know which of their spans were acknowledged (`load.py`).
final class Load: Sendable {
  /// What the senders say at their end.
  struct Report: Decodable {
    var acknowledged: [String]
    var sent: Int
    var answers: [String: Int]
    var retry_hints: Double?
    var hintless: Int
  }

  private let process: ChildProcess
  private let input = Pipe()
  private let output: URL
  private let errors: URL

  /// Starts senders towards a process's receivers.
  convenience init(_ target: LongspanProcess, senders: Int = 4, _ options: String...) async throws {
    try self.init(
      grpc: try await target.address("otlp_grpc"), http: try await target.address("otlp_http"), senders: senders,
      options)
  }

  /// Starts senders towards addresses; those that are nil get none.
  init(grpc: String?, http: String?, senders: Int = 4, _ options: [String]) throws {
    let folder = try Root.temporaryFolder()
    (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
    try Data().write(to: output)
    try Data().write(to: errors)
    let targets = (grpc.map { ["--grpc", $0] } ?? []) + (http.map { ["--http", $0] } ?? [])
    process = try ChildProcess(
      Root.python, [Root.peer("load.py"), "--senders", "\(senders)"] + targets + options,
      input: input.fileHandleForReading, output: try FileHandle(forWritingTo: output),
      errors: try FileHandle(forWritingTo: errors))
  }

  deinit {
    process.signal(SIGKILL)
    try? FileManager.default.removeItem(at: output.deletingLastPathComponent())
  }

  /// Tells the senders to end after the request they are at.
  func stop() throws { try input.fileHandleForWriting.close() }

  /// Waits for the senders' own end.
  func report() async throws -> Report {
    let status = await process.exitStatus()
    let said = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
    #expect(status == 0, "\(said)")
    return try JSONDecoder().decode(Report.self, from: try Data(contentsOf: output))
  }
}

/// One OTLP/gRPC call by grpcio (`call.py`).
struct Call: Decodable {
  var code: String
  var details: String
  var retry_delay: Double?
  var rejected: Int
  var message: String

  static func export(_ address: String, _ message: Data, _ options: String...) async throws -> Call {
    let run = try await Command.run(Root.python, [Root.peer("call.py"), address] + options, input: message)
    #expect(run.status == 0, "\(run.errors)")
    return try JSONDecoder().decode(Call.self, from: run.output)
  }
}

extension Sink {
  /// Waits until every one of these spans came, and expects that none came twice, unless that is to be expected. Others
  /// may have come too: those whose acknowledgement got lost.
  func expect(
    _ acknowledged: [String], onceEach: Bool = true, location: SourceLocation = #_sourceLocation
  ) async throws {
    let wanted = Set(acknowledged)
    var missing = wanted
    var count = -1
    for _ in Attempts() {
      if missing.isEmpty { break }
      let spans = try spans()
      if spans.count != count {
        missing.subtract(spans.map { $0.spanID.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() })
        count = spans.count
      }
      _ = try await Command.run("true", [])
    }
    #expect(missing.isEmpty, "\(missing.count) of \(wanted.count) spans did not come", sourceLocation: location)
    guard onceEach else { return }
    let all = try spans().map(\.spanID)
    #expect(all.count == Set(all).count, "a span came twice", sourceLocation: location)
  }
}
