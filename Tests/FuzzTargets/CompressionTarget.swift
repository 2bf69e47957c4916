internal import Compression

/// Decompression keeps its limit whatever is compressed, and gives back what went in.
enum CompressionTarget {
  /// The bytes as compressed data.
  static func runDecompress(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let coding = input.one(of: [ContentCoding.gzip, .zstd])
    let limit = input.one(of: [0, 1, 100, 4095, 4096, 4097, 20_000, 1 << 20])
    let data = input.data
    guard case .success(let body) = inflate(data, coding, limit) else {
      if case .failure(.malformed) = inflate(data, coding, limit) {
        // Damage is damage whatever the limit, unless the limit hides it.
        if case .success = inflate(data, coding, 2 << 20) { throw FuzzFinding("malformed for a smaller limit only") }
      }
      return
    }
    try check(body.count <= limit, "\(body.count) bytes for a limit of \(limit)")
    try check(inflate(data, coding, body.count) == .success(body), "not the same with the limit met exactly")
    if !body.isEmpty {
      try check(inflate(data, coding, body.count - 1) == .failure(.tooLarge), "one byte past the limit")
    }
    let twice = inflate(data + data, coding, 2 * body.count)
    try check(twice == .success(body + body), "two bodies are not one after the other")
  }

  /// The bytes as a body to be compressed.
  static func runCompress(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let coding = input.one(of: ContentCoding.allCases)
    let level = input.number(in: 1...9)
    let data = input.data
    let compressed = Compressor(coding, level: level).compress(data)
    guard !compressed.isEmpty || coding != .identity else { return }
    try check(inflate(compressed, coding, data.count) == .success(data), "\(coding.token) does not give back the body")
    if !data.isEmpty { try check(inflate(compressed, coding, data.count - 1) == .failure(.tooLarge), "past the limit") }
    for cut in [1, compressed.count / 2] where coding != .identity && cut < compressed.count {
      try check(
        inflate(compressed.dropLast(cut), coding, .max >> 1) == .failure(.malformed), "a body without its end")
    }
  }

  private static func inflate(
    _ data: [UInt8], _ coding: ContentCoding, _ limit: Int
  ) -> Result<[UInt8], CompressionFault> {
    Result { () throws(CompressionFault) in
      try Decompressor().inflate(data.span.bytes, coding: coding, limit: limit)
    }
  }
}
