internal import Logging

extension Logger {
  /// A logger that says nothing, for libraries whose events are not ours.
  static var quiet: Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }
}
