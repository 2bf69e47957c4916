internal import Foundation
internal import Synchronization
internal import Telemetry

/// Where the demo shows itself: a table that is redrawn in place on a terminal, plain lines anywhere else.
final class DemoScreen: Sendable {
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private let drawnLines = Mutex(0)
  private let hasFailed = Atomic(false)

  /// Whether what is said can still be written: the reader of a pipe may have gone, as `head` does.
  var isHeard: Bool { !hasFailed.load(ordering: .relaxed) }

  func introduce(_ stack: DemoStack) {
    say("Longspan demo: three relays and an aggregator with mutual TLS, routes sampled at 0.5")
    for (name, url) in stack.urls { say("  \(name)  \(url)") }
    say("")
  }

  func say(_ line: String) {
    drawnLines.withLock { $0 = 0 }
    write(line + "\n")
  }

  func complain(_ line: String) { StandardErrorSink().write(Array((line + "\n").utf8)) }

  /// Draws the table over the last one, or prints its rows where nothing can be redrawn.
  func show(_ table: FlowTable, second: Int, of seconds: Int) {
    let title = seconds == 0 ? "second \(second) (Ctrl-C ends the demo)" : "second \(second) of \(seconds)"
    let lines = [title] + table.lines
    guard isTerminal else { return write(lines.joined(separator: "\n") + "\n") }
    drawnLines.withLock { drawn in
      let back = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
      write(back + lines.map { "\u{1b}[2K" + $0 }.joined(separator: "\n") + "\n")
      drawn = lines.count
    }
  }

  func conclude(_ stack: DemoStack, reading: FlowReading, truth: DemoTruth.Counts, seconds: Double) {
    say("")
    say("Summary: \(truth.visits) traces with \(truth.spans) spans in \(String(format: "%.1f", seconds)) s")
    for line in FlowTable(reading, since: FlowReading(), seconds: seconds, truth: truth.traces).lines { say(line) }
    say("")
    for line in stack.accounts { say(line) }
    if truth.unsentSpans > 0 { say("spans no relay took: \(truth.unsentSpans)") }
    say("Served while it ran:")
    for (name, url) in stack.urls { say("  \(name)  \(url)") }
  }

  private func write(_ text: String) {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      hasFailed.store(true, ordering: .relaxed)
    }
  }
}
