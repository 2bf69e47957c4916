/// One thing that is wrong (or worth a warning) in the configuration: where, which key, what, and what is allowed.
public struct ConfigurationIssue: Sendable, Equatable, CustomStringConvertible {
  /// The file as it was named on the command line.
  public var file: String
  /// The line, from 1; nil where the file could not be read at all.
  public var line: Int?
  /// The key with all keys above it, e.g. `routes[0].sampling`; empty where it is about the file.
  public var keyPath: String
  /// What is wrong, with the allowed values.
  public var message: String

  /// An issue.
  public init(file: String, line: Int? = nil, keyPath: String = "", message: String) {
    self.file = file
    self.line = line
    self.keyPath = keyPath
    self.message = message
  }

  /// `FILE:LINE: key.path: message`.
  public var description: String {
    file + (line.map { ":\($0)" } ?? "") + ": " + (keyPath.isEmpty ? "" : keyPath + ": ") + message
  }
}

/// All that is wrong in a configuration, in the order of files and lines.
public struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one.
  public var issues: [ConfigurationIssue]

  /// Errors.
  public init(issues: [ConfigurationIssue]) { self.issues = issues }

  /// One issue a line.
  public var description: String { issues.map(\.description).joined(separator: "\n") }
}

/// A place in one of the files.
struct SourcePlace {
  var fileIndex: Int
  var file: String
  var line: Int
}

/// Collects what readers find, so that all of it is told and not only the first.
final class IssueLog {
  private var errors: [(place: SourcePlace, issue: ConfigurationIssue)] = []
  private var notes: [(place: SourcePlace, issue: ConfigurationIssue)] = []
  private var claims: [String: String] = [:]

  func error(_ place: SourcePlace, _ path: String, _ message: String) {
    errors.append(
      (place, ConfigurationIssue(file: place.file, line: place.line, keyPath: path, message: message)))
  }

  func warning(_ place: SourcePlace, _ path: String, _ message: String) {
    notes.append((place, ConfigurationIssue(file: place.file, line: place.line, keyPath: path, message: message)))
  }

  func unreadable(file: String, index: Int, _ message: String) {
    errors.append(
      (SourcePlace(fileIndex: index, file: file, line: 0), ConfigurationIssue(file: file, message: message)))
  }

  /// Claims something that only one key can have; returns who has it already.
  func claim(_ thing: String, by path: String) -> String? {
    if let owner = claims[thing] { return owner }
    claims[thing] = path
    return nil
  }

  /// Claims an endpoint to listen on; port 0 is another one each time.
  func claim(listener host: String, _ port: Int, by path: String) -> String? {
    port == 0 ? nil : claim("listener \(host) \(port)", by: path)
  }

  var issues: [ConfigurationIssue] { Self.ordered(errors) }
  var warnings: [ConfigurationIssue] { Self.ordered(notes) }

  private static func ordered(_ found: [(place: SourcePlace, issue: ConfigurationIssue)]) -> [ConfigurationIssue] {
    found.enumerated().sorted { left, right in
      (left.element.place.fileIndex, left.element.place.line, left.offset)
        < (right.element.place.fileIndex, right.element.place.line, right.offset)
    }.map(\.element.issue)
  }
}
