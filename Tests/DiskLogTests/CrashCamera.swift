import Foundation
import TestKit

@testable import DiskLog

/// Takes pictures of a log's files as a crash or a loss of power would leave them, with what had been answered by then.
final class CrashCamera: @unchecked Sendable {
  struct Picture {
    var moment: String
    /// How many transactions had been answered.
    var answered: Int
    var files: [String: [UInt8]]
  }

  // Only the log's own thread and, after the log was closed, the test use these.
  private(set) var pictures: [Picture] = []
  private var answered = 0
  private var random: SeededGenerator
  private let path: String
  private let oneIn: Int
  /// The files when all that was written had also been synchronized, and what had been answered then.
  private var settled: Picture?
  private static let sector = 512

  init(path: String, seed: UInt64, oneIn: Int) {
    self.path = path
    random = SeededGenerator(seed)
    self.oneIn = oneIn
  }

  /// Whether the next moment after completions is to be kept as the files to go on with.
  var wantsLast = false
  private(set) var last: Picture?

  func countAnswer() { answered += 1 }

  func see(_ moment: DiskLogTuning.Moment) {
    switch moment {
    case .afterCompletions, .beforeCheckpoint:
      if wantsLast { last = picture("\(moment)") }
      settled = random.one(in: oneIn) ? picture("\(moment)") : nil
      if let settled { pictures.append(settled) }
    case .beforeCommit, .afterCommit:
      guard let settled else { return }
      let now = picture("\(moment)")
      pictures.append(now)
      pictures.append(torn(settled, now, "-wal", keepingFirst: true))
    case .afterCheckpoint:
      guard let settled else { return }
      let now = picture("\(moment)")
      pictures.append(now)
      pictures.append(torn(settled, now, "", keepingFirst: false))
      self.settled = nil
    }
  }

  private func picture(_ moment: String) -> Picture {
    var files: [String: [UInt8]] = [:]
    for suffix in ["", "-wal"] {
      files[suffix] = FileManager.default.contents(atPath: path + suffix).map { [UInt8]($0) }
    }
    return Picture(moment: moment, answered: answered, files: files)
  }

  /// A loss of power before the disk was synchronized: each sector written since has its old or its new bytes. The WAL's
  /// header is an exception, it is synchronized before anything else.
  private func torn(_ old: Picture, _ new: Picture, _ suffix: String, keepingFirst: Bool) -> Picture {
    var result = new
    result.moment += " torn"
    result.answered = old.answered
    // The WAL is cut off or begun anew only when what was copied out of it is synchronized.
    if suffix.isEmpty { result.files["-wal"] = old.files["-wal"] }
    guard let before = old.files[suffix], var after = new.files[suffix] else { return result }
    if random.one(in: 2) {
      let count = max(before.count, after.count) * Int.random(in: 0...8, using: &random) / 8
      if count < after.count { after.removeLast(after.count - max(count, min(before.count, after.count))) }
    }
    var offset = keepingFirst ? Self.sector : 0
    while offset < after.count {
      let end = min(offset + Self.sector, after.count)
      if random.one(in: 2) {
        for index in offset..<end { after[index] = index < before.count ? before[index] : 0 }
      }
      offset = end
    }
    result.files[suffix] = after
    return result
  }
}
