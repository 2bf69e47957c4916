import Foundation
import FuzzTargets

/// The committed inputs of a target: `Corpus/TARGET/*`.
struct Corpus {
  struct File {
    let name: String
    let bytes: [UInt8]
  }

  let files: [File]

  init(of target: FuzzTarget) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/\(target.rawValue)")
    files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      File(name: name, bytes: [UInt8](try Data(contentsOf: folder.appending(path: name))))
    }
  }
}
