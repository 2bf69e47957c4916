internal import Foundation
internal import Synchronization
internal import Telemetry

/// A file that lines are appended to, by any thread; it blocks. Where it would grow past its limit it is put aside
/// under a name with the time, `traces-2026-11-21T03-42-00.123.json`, as the Collector's file exporter does.
///
/// A line is in the file whole or not at all. A file that somebody else has moved away is begun anew.
final class OutputFile: Sendable {
  /// Why a file could not be written: the system's own words.
  struct Fault: Error, CustomStringConvertible {
    var description: String

    fileprivate init(_ what: String, _ code: Int32) { description = "\(what): \(String(cString: strerror(code)))" }
  }

  private struct Opened {
    var descriptor: Int32
    /// The file's number on its disk.
    var number: Int?
  }

  let configuration: FileConfiguration
  private let backups: BackupNames
  private let now: @Sendable () -> LogTimestamp
  private let opened = Mutex<Opened?>(nil)

  /// A file that is not open yet.
  init(_ configuration: FileConfiguration, now: @escaping @Sendable () -> LogTimestamp = { .now() }) {
    self.configuration = configuration
    self.now = now
    backups = BackupNames(of: configuration.path)
  }

  deinit { opened.withLock { Self.close(&$0) } }

  /// Opens it, if it is not open: what is there stays.
  func open() throws(Fault) {
    let result = opened.withLock { opened in Result { () throws(Fault) in try open(&opened) } }
    try result.get()
  }

  /// Appends a line, which has its end.
  func append(_ line: [UInt8]) throws(Fault) {
    let result = opened.withLock { opened in
      Result { () throws(Fault) in
        do throws(Fault) {
          try open(&opened)
          try rotate(&opened, for: line.count)
          if let file = opened { try Self.write(line, to: file.descriptor) }
        } catch {
          Self.close(&opened)
          throw error
        }
      }
    }
    try result.get()
  }

  private func open(_ opened: inout Opened?) throws(Fault) {
    if let file = opened {
      if let number = file.number, number == numberThere { return }
      Self.close(&opened)
    }
    let descriptor = Foundation.open(configuration.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Fault("cannot open the file", errno) }
    opened = Opened(descriptor: descriptor, number: numberThere)
  }

  /// The number of the file that has the path now.
  private var numberThere: Int? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: configuration.path)
    return attributes?[.systemFileNumber] as? Int
  }

  private static func close(_ opened: inout Opened?) {
    if let file = opened { _ = Foundation.close(file.descriptor) }
    opened = nil
  }

  /// Writes all of it, or takes back what was written: half a line is no line.
  private static func write(_ line: [UInt8], to descriptor: Int32) throws(Fault) {
    let before = lseek(descriptor, 0, SEEK_END)
    var written = 0
    while written < line.count {
      let count = line[written...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let code = errno
        if before >= 0, written > 0 { _ = ftruncate(descriptor, before) }
        throw Fault("cannot write to the file", code)
      }
      written += count
    }
  }

  // MARK: Rotation

  /// Puts the file aside where so many more bytes would be too many.
  private func rotate(_ opened: inout Opened?, for more: Int) throws(Fault) {
    guard let rotation = configuration.rotation, let file = opened else { return }
    let size = Int(lseek(file.descriptor, 0, SEEK_END))
    guard size > 0, size + more > rotation.maxMegabytes << 20 else { return }
    var moment = now()
    while access(backups.name(at: moment), F_OK) == 0 { moment = moment.later(milliseconds: 1) }
    guard rename(configuration.path, backups.name(at: moment)) == 0 else {
      throw Fault("cannot put the file aside", errno)
    }
    Self.close(&opened)
    try open(&opened)
    for name in backups.superfluous(rotation, now: moment) { _ = unlink(name) }
  }
}

/// The names of a file's earlier lives.
struct BackupNames {
  private let folder: String
  private let stem: String
  private let ending: String

  /// The names beside a file.
  init(of path: String) {
    let url = URL(filePath: path)
    folder = url.deletingLastPathComponent().path
    ending = url.pathExtension.isEmpty ? "" : "." + url.pathExtension
    stem = url.deletingPathExtension().lastPathComponent + "-"
  }

  /// The path of one that was put aside then.
  func name(at moment: LogTimestamp) -> String {
    "\(folder)/\(stem)\(Self.stamp(moment))\(ending)"
  }

  /// The paths of those that are too many or too old.
  func superfluous(_ rotation: FileConfiguration.Rotation, now: LogTimestamp) -> [String] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { name in
      name.hasPrefix(stem) && name.hasSuffix(ending) && name.count == stem.count + ending.count + 23
        && name.dropFirst(stem.count).prefix(4).allSatisfy(\.isNumber)
    }
    let newestFirst = names.sorted(by: >)
    var superfluous = rotation.maxBackups > 0 ? Array(newestFirst.dropFirst(rotation.maxBackups)) : []
    if rotation.maxDays > 0 {
      let oldest = stem + Self.stamp(LogTimestamp(seconds: now.seconds - rotation.maxDays * 86_400, milliseconds: 0))
      superfluous += newestFirst.prefix(rotation.maxBackups > 0 ? rotation.maxBackups : .max).filter { $0 < oldest }
    }
    return superfluous.map { "\(folder)/\($0)" }
  }

  private static func stamp(_ moment: LogTimestamp) -> String {
    String(moment.text.dropLast()).replacing(":", with: "-")
  }
}

extension LogTimestamp {
  fileprivate func later(milliseconds more: Int) -> LogTimestamp {
    let all = milliseconds + more
    return LogTimestamp(seconds: seconds + all / 1000, milliseconds: all % 1000)
  }
}
