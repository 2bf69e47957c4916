import Foundation

/// Places the system tests need.
enum Root {
  /// The package's root.
  static let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The programs in Python that the tests speak with.
  static func peer(_ name: String) -> String { url.appending(path: "Tests/SystemTests/Peers/\(name)").path }

  /// Python with the packages of `Peers/requirements.txt`.
  static var python: String {
    ProcessInfo.processInfo.environment["LONGSPAN_TEST_PYTHON"] ?? url.appending(path: ".build-python/bin/python").path
  }

  /// Python with the packages of `Peers/requirements-formats.txt`, which get on with no newer ones.
  static var formatsPython: String {
    ProcessInfo.processInfo.environment["LONGSPAN_TEST_FORMATS_PYTHON"]
      ?? url.appending(path: ".build-python-formats/bin/python").path
  }

  /// A new folder of one test's own.
  static func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "longspan-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}
