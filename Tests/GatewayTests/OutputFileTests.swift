import Foundation
import Telemetry
import Testing

@testable import Gateway

/// A file that lines are appended to.
@Suite struct OutputFileTests {
  private final class Folder {
    let url: URL
    init() throws {
      url = FileManager.default.temporaryDirectory.appending(path: "longspan-file-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }

    var path: String { url.appending(path: "traces.json").path }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
    func text(_ name: String = "traces.json") throws -> String {
      try String(contentsOf: url.appending(path: name), encoding: .utf8)
    }
  }

  private func rotated(_ folder: Folder, maxDays: Int = 0, maxBackups: Int = 0, at seconds: Int) -> OutputFile {
    var configuration = FileConfiguration(path: folder.path)
    configuration.rotation = FileConfiguration.Rotation()
    configuration.rotation?.maxMegabytes = 1
    configuration.rotation?.maxDays = maxDays
    configuration.rotation?.maxBackups = maxBackups
    return OutputFile(configuration) { LogTimestamp(seconds: seconds, milliseconds: 5) }
  }

  private let half = [UInt8](repeating: 0x61, count: 600_000)

  @Test func linesAreAppendedToWhatIsThere() throws {
    let folder = try Folder()
    try "before\n".write(toFile: folder.path, atomically: true, encoding: .utf8)
    let file = OutputFile(FileConfiguration(path: folder.path))
    try file.open()
    try file.append(Array("a\n".utf8))
    try file.append(Array("b\n".utf8))
    #expect(try folder.text() == "before\na\nb\n")
  }

  @Test func aFileThatWasMovedAwayIsBegunAnew() throws {
    let folder = try Folder()
    let file = OutputFile(FileConfiguration(path: folder.path))
    try file.append(Array("a\n".utf8))
    try FileManager.default.moveItem(atPath: folder.path, toPath: folder.path + ".1")
    try file.append(Array("b\n".utf8))
    #expect(try folder.text() == "b\n")
    #expect(try folder.text("traces.json.1") == "a\n")
  }

  @Test func aFileThatIsFullIsPutAside() throws {
    let folder = try Folder()
    let file = rotated(folder, at: 1_700_000_000)
    for _ in 0..<3 { try file.append(half) }
    // Two at the same moment do not overwrite each other.
    let backups = ["traces-2023-11-14T22-13-20.005.json", "traces-2023-11-14T22-13-20.006.json"]
    #expect(folder.names == backups + ["traces.json"])
    for name in folder.names { #expect(try folder.text(name).utf8.count == half.count) }
  }

  /// One line may be larger than a file is to be.
  @Test func aLargeLineHasAFileOfItsOwn() throws {
    let folder = try Folder()
    let file = rotated(folder, at: 1_700_000_000)
    try file.append(half + half)
    #expect(folder.names == ["traces.json"])
    try file.append(half)
    #expect(folder.names.count == 2)
  }

  @Test func whatIsTooMuchOrTooOldIsRemoved() throws {
    let folder = try Folder()
    try "mine".write(to: folder.url.appending(path: "traces-notes.json"), atomically: true, encoding: .utf8)
    for day in 0..<5 {
      let file = rotated(folder, maxBackups: 2, at: 1_700_000_000 + day * 86_400)
      try file.append(half)
    }
    #expect(
      folder.names == [
        "traces-2023-11-17T22-13-20.005.json", "traces-2023-11-18T22-13-20.005.json", "traces-notes.json",
        "traces.json",
      ])
    let later = rotated(folder, maxDays: 3, at: 1_700_000_000 + 7 * 86_400)
    try later.append(half)
    #expect(
      folder.names == [
        "traces-2023-11-18T22-13-20.005.json", "traces-2023-11-21T22-13-20.005.json", "traces-notes.json",
        "traces.json",
      ])
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    let folder = try Folder()
    let file = OutputFile(FileConfiguration(path: folder.url.appending(path: "none/traces.json").path))
    #expect { try file.open() } throws: { "\($0)" == "cannot open the file: No such file or directory" }
    #expect(throws: OutputFile.Fault.self) { try file.append([1]) }
    try FileManager.default.createDirectory(at: folder.url.appending(path: "none"), withIntermediateDirectories: true)
    try file.append([0x61])
    #expect(try folder.text("none/traces.json") == "a")
  }

  /// A full disk leaves no half line behind.
  @Test func aFullDisk() throws {
    let file = OutputFile(FileConfiguration(path: "/dev/full"))
    #expect { try file.append(half) } throws: { "\($0)" == "cannot write to the file: No space left on device" }
  }
}
