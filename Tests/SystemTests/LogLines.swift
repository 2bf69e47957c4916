import Foundation
import Synchronization

/// Lines as they come, and those who wait for one.
final class LogLines: Sendable {
  private struct State {
    var partial = Data()
    var lines: [String] = []
    var hasEnded = false
    var waiting: [(condition: @Sendable (String) -> Bool, continuation: CheckedContinuation<String, any Error>)] = []
  }

  struct Ended: Error, CustomStringConvertible {
    var description: String
  }

  private let state = Mutex(State())

  var text: String { state.withLock { $0.lines.joined(separator: "\n") } }

  /// Takes in what was read; nothing means the end.
  func add(_ data: Data) {
    state.withLock { state in
      state.partial.append(data)
      while let newline = state.partial.firstIndex(of: 0x0a) {
        let line = String(decoding: state.partial[state.partial.startIndex..<newline], as: UTF8.self)
        state.partial = Data(state.partial[(newline + 1)...])
        state.lines.append(line)
        state.waiting.removeAll { waiter in
          guard waiter.condition(line) else { return false }
          waiter.continuation.resume(returning: line)
          return true
        }
      }
      guard data.isEmpty else { return }
      state.hasEnded = true
      let all = state.lines.joined(separator: "\n")
      for waiter in state.waiting { waiter.continuation.resume(throwing: Ended(description: "ended; log:\n\(all)")) }
      state.waiting = []
    }
  }

  func first(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      state.withLock { state in
        if let line = state.lines.first(where: condition) {
          continuation.resume(returning: line)
        } else if state.hasEnded {
          continuation.resume(throwing: Ended(description: "ended; log:\n\(state.lines.joined(separator: "\n"))"))
        } else {
          state.waiting.append((condition, continuation))
        }
      }
    }
  }
}
