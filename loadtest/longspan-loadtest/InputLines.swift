import Foundation

/// The lines of standard input as they come.
enum InputLines {
  /// Reads them on a thread of their own, which waits for them.
  static func stream() -> AsyncStream<String> {
    let (stream, continuation) = AsyncStream.makeStream(of: String.self)
    Thread.detachNewThread {
      while let line = readLine() { continuation.yield(line) }
      continuation.finish()
    }
    return stream
  }
}
