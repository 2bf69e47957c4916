import TestKit
import Testing

@testable import TraceWire

/// What is looked at eight bytes at once is what is found byte after byte.
@Suite struct JSONWordTests {
  @Test(arguments: 0..<8) func specialBytesAreFoundWhereTheyAre(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let special = [UInt8(ascii: "\""), UInt8(ascii: "\\")] + Array(0..<0x20) + Array(0x80...0xff)
    for _ in 0..<2000 {
      // Neighbours of what is special in front of it and behind.
      let near: [UInt8] = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x61]
      let count = Int.random(in: 0..<40, using: &generator)
      var bytes = (0..<count).map { _ in near.randomElement(using: &generator) ?? 0 }
      for _ in 0..<Int.random(in: 0..<3, using: &generator) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = special.randomElement(using: &generator) ?? 0
      }
      let start = Int.random(in: 0...bytes.count, using: &generator)
      let wanted = bytes[start...].firstIndex { special.contains($0) } ?? bytes.count
      #expect(bytes.span.bytes.firstSpecialOffset(from: start) == wanted, "seed \(seed): \(bytes) from \(start)")
    }
  }

  @Test(arguments: 0..<4) func hexDigitsAreRead(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      let word = UInt64.random(in: 0...UInt64.max, using: &generator)
      let digits = String(word, radix: 16, uppercase: Bool.random(using: &generator))
      let text = Array("x\(String(repeating: "0", count: 16 - digits.count))\(digits)y".utf8)
      #expect(text.span.bytes.hexWord(at: 1) == word)
    }
  }

  @Test func whatIsNoHexDigitIsFound() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<16 {
        var text = Array("0123456789abcdef".utf8)
        text[place] = byte
        let isDigit = UnicodeScalar(byte).properties.isASCIIHexDigit
        #expect((text.span.bytes.hexWord(at: 0) != nil) == isDigit, "\(byte) at \(place)")
      }
    }
  }
}
