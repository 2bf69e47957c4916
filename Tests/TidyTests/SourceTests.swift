import Foundation
import Testing

/// What a reader may rely on in every source file.
@Suite struct SourceTests {
  @Test func filesHoldOneNoun() throws {
    for file in try SourceTree().swiftFiles where !file.isGenerated {
      #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func uncheckedPromisesAreExplained() throws {
    for file in try SourceTree().swiftFiles where file.isProduct || file.isTool {
      for (index, line) in file.lines.enumerated() {
        guard line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") else { continue }
        let near = file.lines[max(0, index - 6)...index]
        #expect(near.contains { $0.contains("SAFETY:") }, "\(file.path):\(index + 1) lacks a SAFETY: note")
      }
    }
  }

  @Test func nothingIsLeftOver() throws {
    let leftovers = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "try" + "!", "as" + "! ", "fatal" + "Error("]
    for file in try SourceTree().swiftFiles where file.isProduct || file.isTool {
      for (index, line) in file.lines.enumerated() {
        for word in leftovers { #expect(!line.contains(word), "\(file.path):\(index + 1) holds \(word)") }
      }
    }
  }

  @Test func topLevelIsTheCustomers() throws {
    let allowed: Set = ["Package.swift", "Sources", "Tests", "deploy", "loadtest", "README.md"]
    let names = try FileManager.default.contentsOfDirectory(atPath: SourceTree().root.path)
    for name in names where !name.hasPrefix(".") && name != "Package.resolved" {
      #expect(allowed.contains(name), "\(name) does not belong at the top level")
    }
  }
}
