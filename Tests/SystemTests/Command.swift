import Foundation
import TestKit

/// Another program, run to its end.
enum Command {
  struct Result: Sendable {
    var status: Int32
    var output: Data
    var errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
  }

  /// Runs a program that is found on the path; input comes from `input`.
  static func run(_ program: String, _ arguments: [String], input: Data? = nil) async throws -> Result {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (output, errors) = (folder.appending(path: "out"), folder.appending(path: "err"))
    try Data().write(to: output)
    try Data().write(to: errors)
    let given = folder.appending(path: "in")
    try (input ?? Data()).write(to: given)
    let process = try ChildProcess(
      program, arguments, input: try FileHandle(forReadingFrom: given), output: try FileHandle(forWritingTo: output),
      errors: try FileHandle(forWritingTo: errors))
    return Result(
      status: await process.exitStatus(), output: try Data(contentsOf: output),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}
