import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

private final class CollectingSink: LogSink {
  private let lines = Mutex<[String]>([])
  func write(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
  var all: [String] { lines.withLock { $0 } }
}

@Suite struct LineLogHandlerTests {
  private let sink = CollectingSink()

  private func logger(_ format: LogFormat, level: Logger.Level = .trace) -> Logger {
    let handler = LineLogHandler(level: level, format: format, sink: sink) {
      LogTimestamp(seconds: 1_795_232_520, milliseconds: 7)
    }
    return Logger(label: "test") { _ in handler }
  }

  @Test func writesTextWithSortedMetadata() {
    logger(.text).info("ready", metadata: ["port": "4317", "name": "two words", "empty": "", "count": "\(3)"])
    #expect(
      sink.all == ["2026-11-21T03:42:00.007Z INFO  ready count=3 empty=\"\" name=\"two words\" port=4317\n"])
  }

  @Test func writesNestedMetadata() {
    logger(.text).warning("w", metadata: ["listeners": ["a", ["k": "v", "j": "u"]]])
    logger(.json).warning("w", metadata: ["listeners": ["a", ["k": "v", "j": "u"]]])
    #expect(sink.all[0] == "2026-11-21T03:42:00.007Z WARN  w listeners=\"[a, {j: u, k: v}]\"\n")
    #expect(sink.all[1].hasSuffix("\"message\":\"w\",\"listeners\":[\"a\",{\"j\":\"u\",\"k\":\"v\"}]}\n"))
  }

  @Test func obeysTheLevel() {
    let logger = logger(.text, level: .warning)
    logger.info("no")
    logger.error("yes")
    #expect(sink.all == ["2026-11-21T03:42:00.007Z ERROR yes\n"])
  }

  /// What a peer may name its spans to forge lines or to steer a terminal.
  private static let hostile = "a\nb\r\n\t\u{1B}[31m\u{0}\u{7F}\u{85}\u{9B}\u{2028}\u{2029}\u{202E}\u{FEFF}\"\\é=🙂"

  @Test func hostileTextStaysOnItsLine() {
    logger(.text).info("\(Self.hostile)", metadata: [Self.hostile: "\(Self.hostile)"])
    let line = sink.all[0]
    let escaped =
      "a\\nb\\r\\n\\t\\u001b[31m\\u0000\\u007f\\u0085\\u009b\\u2028\\u2029\\u202e\\ufeff"
    let quoted = "\"\(escaped)\\\"\\\\é=🙂\""
    #expect(line == "2026-11-21T03:42:00.007Z INFO  \(escaped)\"\\é=🙂 \(quoted)=\(quoted)\n")
  }

  @Test func jsonReadsBack() throws {
    logger(.json).error(
      "\(Self.hostile)", metadata: [Self.hostile: "\(Self.hostile)", "level": "own", "n": .stringConvertible(5)])
    let line = sink.all[0]
    #expect(line.filter { $0.isNewline }.count == 1)
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["time"] as? String == "2026-11-21T03:42:00.007Z")
    #expect(object["level"] as? String == "error")
    #expect(object["message"] as? String == Self.hostile)
    #expect(object[Self.hostile] as? String == Self.hostile)
    #expect(object["metadata.level"] as? String == "own")
    #expect(object["n"] as? Int == 5)
  }

  @Test func longValuesAreCut() {
    let longest = String(repeating: "x", count: LogText.valueBytesMax)
    logger(.text).info("\(longest)", metadata: ["v": "\(longest)x"])
    #expect(sink.all == ["2026-11-21T03:42:00.007Z INFO  \(longest) v=\"\(longest)…\"\n"])
  }

  @Test func laterMetadataWins() {
    var logger = logger(.text)
    logger[metadataKey: "a"] = "handler"
    logger[metadataKey: "b"] = "handler"
    logger.debug("m", metadata: ["b": "event"])
    #expect(sink.all == ["2026-11-21T03:42:00.007Z DEBUG m a=handler b=event\n"])
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
    (4_107_542_399, "2100-02-28T23:59:59.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
    (-1, "1969-12-31T23:59:59.000Z"), (1_735_689_599, "2024-12-31T23:59:59.000Z"),
  ])
  func timestamps(seconds: Int, text: String) {
    #expect(LogTimestamp(seconds: seconds, milliseconds: 0).text == text)
  }

  @Test func linesOfManyThreadsDoNotMix() async throws {
    let pipe = Pipe()
    let sink = StandardErrorSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
    let reader = Task.detached { try pipe.fileHandleForReading.readToEnd() }
    // Longer than what a pipe takes in one piece.
    let lines = (0..<8).map { [UInt8](repeating: UInt8(ascii: "a") + $0, count: 10_000) + [UInt8(ascii: "\n")] }
    await withTaskGroup(of: Void.self) { tasks in
      for line in lines { tasks.addTask { for _ in 0..<10 { sink.write(line) } } }
    }
    try pipe.fileHandleForWriting.close()
    let read = try #require(try await reader.value).split(separator: UInt8(ascii: "\n"))
    #expect(read.count == 80)
    #expect(read.allSatisfy { $0.count == 10_000 && Set($0).count == 1 })
  }
}
