import TestKit

/// Makes new inputs out of old ones; equal seeds make equal inputs.
struct Mutator {
  private let corpus: [[UInt8]]
  private var random: SeededGenerator

  init(corpus: [[UInt8]], seed: UInt64) {
    self.corpus = corpus
    random = SeededGenerator(seed: seed)
  }

  mutating func next() -> [UInt8] {
    var bytes = pick()
    for _ in 0...Int.random(in: 0..<4, using: &random) { mutate(&bytes) }
    return bytes
  }

  private mutating func pick() -> [UInt8] { corpus.randomElement(using: &random) ?? [] }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    let at = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, at + Int.random(in: 1...20, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes.removeSubrange(at..<end)
    case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
    case 3:
      let other = pick()
      let from = Int.random(in: 0...other.count, using: &random)
      bytes.replaceSubrange(at..<end, with: other[from...].prefix(40))
    case 4: bytes = Array(bytes[..<at]) + pick().suffix(from: 0).dropFirst(at)
    default:
      guard at < bytes.count else { return }
      bytes[at] = random.one(in: 2) ? UInt8.random(in: 0...255, using: &random) : bytes[at] ^ 1 << UInt8(at % 8)
    }
  }
}
