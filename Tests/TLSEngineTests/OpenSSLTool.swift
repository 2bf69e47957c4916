import Foundation

/// The `openssl` command: other people's software that makes the certificates of these tests and speaks TLS to us.
enum OpenSSLTool {
  struct Failure: Error { var message: String }

  /// Runs a command to its end in `folder`; throws what it complained about unless it succeeded.
  static func run(_ arguments: [String], in folder: URL) throws {
    let process = make(arguments)
    let complaints = Pipe()
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = complaints
    try process.run()
    let text = complaints.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(message: arguments.joined(separator: " ") + "\n" + String(decoding: text, as: UTF8.self))
    }
  }

  static func make(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    return process
  }

  /// Runs `body` with a folder that is gone afterwards.
  static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("longspan-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
