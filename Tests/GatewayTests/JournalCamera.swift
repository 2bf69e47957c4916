import Foundation
import Synchronization
import TestKit

@testable import DiskLog
@testable import Gateway

/// Takes pictures of a journal's files as a crash would leave them, with what the world had seen by then; and keeps
/// every record that was ever written, also those that are gone again.
final class JournalCamera: Sendable {
  struct Picture: Sendable {
    var moment: String
    var seen: JournalWitness.Moment
    var files: [String: [UInt8]]
  }

  struct Written: Sendable {
    var address: UInt64
    var record: DiskLogRecord
  }

  private struct State {
    var random: SeededGenerator
    var pictures: [Picture] = []
    var isDemanded = false
    var log: DiskLog?
    /// Appends that reads were sent out for.
    var asked = 0
    var next: UInt64 = 1
    var written: [Written] = []
  }

  private let path: String
  private let witness: JournalWitness
  private let oneIn: Int
  private let state: Mutex<State>
  private static let picturesMax = 3

  init(path: String, seed: UInt64, oneIn: Int, witness: JournalWitness) {
    self.path = path
    self.witness = witness
    self.oneIn = oneIn
    state = Mutex(State(random: SeededGenerator(seed: seed)))
  }

  var pictures: [Picture] { state.withLock { $0.pictures } }
  var written: [Written] { state.withLock { $0.written } }

  /// Follows a log whose next record has this address.
  func follow(_ log: DiskLog, next: UInt64) {
    state.withLock { state in
      state.log = log
      state.next = next
    }
  }

  /// Lets go of the log.
  func stop() { state.withLock { $0.log = nil } }

  /// Whether all that was appended so far has been read.
  var isUpToDate: Bool {
    state.withLock { state in state.log.map { $0.counters.appendedRecords == state.written.count } ?? true }
  }

  /// The next moment is to be kept whatever it is.
  func demand() { state.withLock { $0.isDemanded = true } }

  /// Called on the log's thread.
  func see(_ moment: DiskLogTuning.Moment) {
    let isChosen = state.withLock { state in
      defer { state.isDemanded = false }
      return state.isDemanded || state.random.one(in: oneIn) && state.pictures.count < Self.picturesMax
    }
    if isChosen { take("\(moment)") }
    if case .afterCompletions = moment { readOn() }
  }

  private func take(_ moment: String) {
    // Seen first: what happens while the files are read may be in them, and need not.
    let seen = witness.moment
    let picture = Picture(moment: moment, seen: seen, files: Self.files(path))
    state.withLock { $0.pictures.append(picture) }
  }

  static func files(_ path: String) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for suffix in ["", "-wal"] {
      files[suffix] = FileManager.default.contents(atPath: path + suffix).map { [UInt8]($0) }
    }
    return files
  }

  /// Asks for what was appended. A removal of it can only be submitted later, so it is still there.
  private func readOn() {
    let asking: (DiskLog, Range<UInt64>)? = state.withLock { state in
      guard let log = state.log else { return nil }
      let count = log.counters.appendedRecords - state.asked
      guard count > 0 else { return nil }
      let first = state.next
      state.asked += count
      state.next += UInt64(count)
      return (log, first..<state.next)
    }
    guard let (log, addresses) = asking else { return }
    log.read(Array(addresses)) { [self] result in
      guard let found = try? result.get() else { return }
      state.withLock { state in state.written += found.map { Written(address: $0.0, record: $0.1) } }
    }
  }
}
