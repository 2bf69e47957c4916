import Foundation

/// The sources of this package, as text.
struct SourceTree {
  struct File {
    /// Path from the package's root.
    var path: String
    var lines: [Substring]

    /// The target the file belongs to: the folder below `Sources`, `Tests` or `loadtest`.
    var target: String { String(path.split(separator: "/")[1]) }

    var isGenerated: Bool { path.hasSuffix(".pb.swift") }
    var isProduct: Bool { path.hasPrefix("Sources/") }
    var isTool: Bool { path.hasPrefix("loadtest/") }

    /// What the file imports, without access levels, attributes and kinds.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
        guard
          words[..<at].allSatisfy({ ["internal", "public", "package", "private"].contains($0) || $0.hasPrefix("@") })
        else { return nil }
        return words[at + 1].split(separator: ".").first.map(String.init)
      }
    }
  }

  let root: URL
  let swiftFiles: [File]

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    var files: [File] = []
    for folder in ["Sources", "Tests", "loadtest"] {
      let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
      while let name = names?.nextObject() as? String {
        guard name.hasSuffix(".swift") else { continue }
        let text = try String(contentsOf: root.appending(path: folder).appending(path: name), encoding: .utf8)
        files.append(
          File(path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
      }
    }
    self.root = root
    swiftFiles = files.sorted { $0.path < $1.path }
  }
}
