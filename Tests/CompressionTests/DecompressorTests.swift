import Compression
import Testing

@Suite("decompressor") struct DecompressorTests {
  private let decompressor = Decompressor()

  private func inflate(
    _ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 20
  ) -> Result<[UInt8], CompressionFault> {
    do {
      return .success(try decompressor.inflate(bytes.span.bytes, coding: coding, limit: limit))
    } catch {
      return .failure(error)
    }
  }

  /// The same as a comparison in an expectation, which would print megabytes.
  private func inflates(_ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 21, to expected: [UInt8]) -> Bool {
    inflate(bytes, coding, limit: limit) == .success(expected)
  }

  @Test func readsWhatOthersWrote() {
    for (coding, bytes) in Vectors.whole { #expect(inflate(bytes, coding) == .success(Vectors.text)) }
    #expect(inflate(Vectors.gzipStored, .gzip) == .success([UInt8]("stored".utf8)))
    #expect(inflates(Vectors.gzipZeros, .gzip, to: [UInt8](repeating: 0, count: 65536)))
    #expect(inflates(Vectors.zstdZeros, .zstd, to: [UInt8](repeating: 0, count: 1 << 20)))
    #expect(inflate(Vectors.text, .identity) == .success(Vectors.text))
    #expect(inflate([], .identity) == .success([]))
  }

  @Test func readsSeveralPartsInARow() {
    let text = Vectors.text
    let members = Vectors.gzip + Vectors.gzipStored + Vectors.gzipWithName
    #expect(inflate(members, .gzip) == .success(text + "stored".utf8 + text))
    let frames = Vectors.zstdSkippable + Vectors.zstdFile + Vectors.zstdSkippable + Vectors.zstdStream
    #expect(inflate(frames, .zstd) == .success(text + text))
    #expect(inflate(Vectors.zstdSkippable, .zstd) == .success([]))
    // The buffer has to grow several times, between parts and within one.
    let zeros = Vectors.gzipZeros + Vectors.gzip + Vectors.gzipZeros + Vectors.gzipStored
    let expected = [UInt8](repeating: 0, count: 65536) + text + [UInt8](repeating: 0, count: 65536) + "stored".utf8
    #expect(inflates(zeros, .gzip, to: expected))
    let mixed = Vectors.zstdFile + Vectors.zstdZeros + Vectors.zstdPython
    #expect(inflates(mixed, .zstd, to: text + [UInt8](repeating: 0, count: 1 << 20) + text))
  }

  @Test func holdsTheLimitToTheByte() {
    for (coding, bytes) in Vectors.whole + [(.identity, Vectors.text)] {
      #expect(inflate(bytes, coding, limit: Vectors.text.count) == .success(Vectors.text))
      #expect(inflate(bytes, coding, limit: Vectors.text.count - 1) == .failure(.tooLarge))
      #expect(inflate(bytes, coding, limit: 0) == .failure(.tooLarge))
    }
    let members = Vectors.gzip + Vectors.gzipStored
    #expect(inflate(members, .gzip, limit: 108) == .success(Vectors.text + "stored".utf8))
    #expect(inflate(members, .gzip, limit: 107) == .failure(.tooLarge))
    #expect(inflates(Vectors.zstdZeros, .zstd, limit: 1 << 20, to: [UInt8](repeating: 0, count: 1 << 20)))
    #expect(inflate(Vectors.zstdZeros, .zstd, limit: (1 << 20) - 1) == .failure(.tooLarge))
    #expect(inflate(Vectors.zstdSkippable, .zstd, limit: 0) == .success([]))
  }

  @Test func stopsBombsAtTheLimit() {
    let gzipBomb = [[UInt8]](repeating: Vectors.gzipZeros, count: 4096).flatMap { $0 }
    #expect(inflate(gzipBomb, .gzip, limit: 1 << 20) == .failure(.tooLarge))
    let zstdBomb = [[UInt8]](repeating: Vectors.zstdZeros, count: 4096).flatMap { $0 }
    #expect(inflate(zstdBomb, .zstd, limit: 1 << 22) == .failure(.tooLarge))
  }

  @Test func asksBeforeItTakes() throws {
    let body = [UInt8](repeating: 0, count: 1 << 20)
    for coding in [ContentCoding.gzip, .zstd] {
      let packed = Compressor(coding).compress(body)
      var asked: [Int] = []
      let decompressor = Decompressor()
      let whole = try decompressor.inflate(packed.span.bytes, coding: coding, limit: 2 << 20) { room in
        asked.append(room)
        return true
      }
      #expect(whole == body)
      #expect(asked == asked.sorted() && asked.last ?? 0 >= body.count, "\(asked)")
      #expect(throws: CompressionFault.noRoom) {
        try decompressor.inflate(packed.span.bytes, coding: coding, limit: 2 << 20) { $0 < body.count }
      }
    }
  }

  @Test func doesNotBelieveStatedSizes() {
    var gzip = Vectors.gzip
    gzip.replaceSubrange((gzip.count - 4)..., with: [0xff, 0xff, 0xff, 0xff])
    #expect(inflate(gzip, .gzip, limit: .max) == .failure(.malformed))
    // A frame header of 9 bytes that promises 2^63 bytes, and one that promises more than there are.
    #expect(inflate(Vectors.hex("28b52ffde00000000000000080010000"), .zstd, limit: .max) == .failure(.malformed))
    var zstd = Vectors.zstdFile
    zstd[5] = 0xff
    #expect(inflate(zstd, .zstd) == .failure(.malformed))
  }

  @Test func refusesTruncationAtEveryByte() {
    for (coding, bytes) in Vectors.whole {
      for end in 0..<bytes.count {
        #expect(inflate(Array(bytes[..<end]), coding) == .failure(.malformed), "\(coding) cut at \(end)")
      }
    }
  }

  @Test func refusesWhatFollows() {
    for (coding, bytes) in Vectors.whole {
      for tail in [[0], [0x1f], [0x1f, 0x8b], [0x28, 0xb5, 0x2f], [0, 0, 0, 0], Array("trailing garbage".utf8)] {
        #expect(inflate(bytes + tail, coding) == .failure(.malformed))
      }
    }
    #expect(inflate(Vectors.gzip, .zstd) == .failure(.malformed))
    #expect(inflate(Vectors.zstdFile, .gzip) == .failure(.malformed))
    #expect(inflate(Vectors.text, .gzip) == .failure(.malformed))
    #expect(inflate(Vectors.text, .zstd) == .failure(.malformed))
    // The magic number of zstd 0.7.
    #expect(inflate([0x27] + Vectors.zstdFile.dropFirst(), .zstd) == .failure(.malformed))
  }

  @Test func noticesDamage() {
    for (coding, bytes) in Vectors.whole {
      for seed in UInt64(0)..<3000 {
        var random = SplitMix(state: seed)
        var damaged = bytes
        for _ in 0...Int(random.next() % 3) {
          damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        if case .success(let output) = inflate(damaged, coding, limit: 4096) {
          #expect(output.count <= 4096, "seed \(seed)")
        }
      }
    }
    var checksum = Vectors.gzip
    checksum[checksum.count - 5] ^= 1
    #expect(inflate(checksum, .gzip) == .failure(.malformed))
    var frame = Vectors.zstdStream
    frame[frame.count - 1] ^= 1
    #expect(inflate(frame, .zstd) == .failure(.malformed))
  }

  @Test func isUnharmedByFaults() {
    for _ in 0..<3 {
      _ = inflate(Array(Vectors.gzip.dropLast()), .gzip)
      _ = inflate(Array(Vectors.zstdFile.dropLast()), .zstd)
      _ = inflate(Vectors.zstdZeros, .zstd, limit: 10)
      #expect(inflate(Vectors.gzip, .gzip) == .success(Vectors.text))
      #expect(inflate(Vectors.zstdFile, .zstd) == .success(Vectors.text))
    }
  }
}

/// A repeatable source of randomness (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
