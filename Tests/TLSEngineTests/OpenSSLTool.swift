import Foundation
import TestKit

/// The `openssl` command: other people's software that makes the certificates of these tests and speaks TLS to us.
enum OpenSSLTool {
  struct Failure: Error { var message: String }

  /// Runs a command to its end in `folder`; throws what it complained about unless it succeeded.
  static func run(_ arguments: [String], in folder: URL) throws {
    let complaints = Pipe()
    let process = try ChildProcess("openssl", arguments, in: folder, errors: complaints.fileHandleForWriting)
    try complaints.fileHandleForWriting.close()
    let text = complaints.fileHandleForReading.readDataToEndOfFile()
    guard process.wait() == 0 else {
      throw Failure(message: arguments.joined(separator: " ") + "\n" + String(decoding: text, as: UTF8.self))
    }
  }

  /// Runs `body` with a folder that is gone afterwards.
  static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("longspan-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
