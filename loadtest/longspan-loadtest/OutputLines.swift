import Foundation

/// Lines on standard output.
enum OutputLines {
  /// Writes one at once. Not by C's streams: to flush them all would wait for whoever reads from standard input.
  static func say(_ line: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
  }
}
