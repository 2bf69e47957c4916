import Compression
import Testing

@Suite("compressor") struct CompressorTests {
  private static let codings: [(ContentCoding, Int)] = [
    (.identity, 1), (.gzip, 1), (.gzip, 12), (.zstd, 1), (.zstd, 19), (.zstd, -3),
  ]

  @Test(arguments: codings)
  func roundTripsWithOneContext(_ coding: ContentCoding, _ level: Int) throws {
    let compressor = Compressor(coding, level: level)
    let decompressor = Decompressor()
    for seed in UInt64(0)..<120 {
      var random = SplitMix(state: seed)
      let distinct = 1 + random.next() % 256
      let size = seed == 0 ? 0 : Int(random.next() % (seed % 10 == 0 ? 300_000 : 3000))
      let body = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next() % distinct) }
      let compressed = compressor.compress(body)
      let inflated = try decompressor.inflate(compressed.span.bytes, coding: coding, limit: body.count)
      let isEqual = inflated == body
      #expect(isEqual, "seed \(seed)")
      if body.count > 0 {
        #expect(throws: CompressionFault.tooLarge, "seed \(seed)") {
          try decompressor.inflate(compressed.span.bytes, coding: coding, limit: body.count - 1)
        }
      }
    }
  }

  @Test(arguments: codings)
  func appendsAndMakesSmaller(_ coding: ContentCoding, _ level: Int) throws {
    let compressor = Compressor(coding, level: level)
    let body = [UInt8](repeating: 7, count: 5 << 20)
    var output: [UInt8] = [1, 2, 3]
    compressor.compress(body.span.bytes, to: &output)
    #expect(output[..<3] == [1, 2, 3])
    #expect(coding == .identity || output.count < body.count / 100)
    let part = Array(output[3...])
    let isRepeatable = part == compressor.compress(body)
    #expect(isRepeatable)
    let isWhole = try Decompressor().inflate(part.span.bytes, coding: coding, limit: body.count) == body
    #expect(isWhole)
    #expect(compressor.coding == coding)
  }
}

@Suite("content coding") struct ContentCodingTests {
  @Test(arguments: [
    ("gzip", ContentCoding.gzip), ("GZip", .gzip), ("x-gzip", .gzip), (" zstd\t", .zstd), ("identity", .identity),
    ("", .identity),
  ])
  func readsTokens(_ text: String, _ coding: ContentCoding) {
    #expect(ContentCoding(token: text.utf8) == coding)
  }

  @Test(arguments: ["br", "deflate", "gzip, gzip", "gzip;q=1", "zstd1", "identity2", "x-zstd", "gz\u{0}p"])
  func refusesOthers(_ text: String) {
    #expect(ContentCoding(token: text.utf8) == nil)
  }

  @Test func readsItsOwnTokens() {
    for coding in ContentCoding.allCases { #expect(ContentCoding(token: coding.token.utf8) == coding) }
  }
}
