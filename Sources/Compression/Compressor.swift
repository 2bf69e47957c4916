import CCompression

/// Compresses whole bodies, each by itself. The contexts are kept, so one belongs to one connection; it is not to be
/// shared between threads.
public final class Compressor {
  /// What the bodies are compressed with.
  public let coding: ContentCoding

  /// Past this a buffer for one large body is not kept for the next.
  private static let scratchMax = 4 << 20

  // SAFETY: allocated in `init`, freed in `deinit`, never handed out; the libraries touch them only during a call.
  private let gzip: OpaquePointer?
  private let zstd: OpaquePointer?
  private let level: Int
  private var scratch: [UInt8] = []

  /// Makes a compressor. Level 1 costs little, and OTLP is so repetitive that more buys little; gzip goes up to 12
  /// (libdeflate's levels), zstd up to 19. Below 0 zstd costs less still, for more bytes.
  public init(_ coding: ContentCoding, level: Int = 1) {
    self.coding = coding
    self.level = level
    switch coding {
    case .identity:
      gzip = nil
      zstd = nil
    case .gzip:
      precondition((1...12).contains(level), "libdeflate has levels 1 to 12")
      gzip = libdeflate_alloc_compressor(CInt(level))
      zstd = nil
      precondition(gzip != nil, "no memory for a gzip encoder")
    case .zstd:
      precondition((-7...19).contains(level), "zstd levels past 19 need more memory than a peer may have")
      gzip = nil
      zstd = ZSTD_createCCtx()
      precondition(zstd != nil, "no memory for a zstd encoder")
    }
  }

  deinit {
    libdeflate_free_compressor(gzip)
    ZSTD_freeCCtx(zstd)
  }

  /// The body, compressed.
  public func compress(_ input: [UInt8]) -> [UInt8] {
    guard coding != .identity else { return input }
    var output: [UInt8] = []
    compress(input.span.bytes, to: &output)
    return output
  }

  /// Appends the body, compressed: one gzip member or one zstd frame that states its size. The output grows by what
  /// was written, not by what might have been.
  public func compress(_ input: RawSpan, to output: inout [UInt8]) {
    let bound = bound(input.byteCount)
    if scratch.count < bound { scratch = [UInt8](repeating: 0, count: bound) }
    // SAFETY: no pointer leaves its closure; input and scratch do not overlap.
    input.withUnsafeBytes { source in
      if coding == .identity {
        output.append(contentsOf: source)
        return
      }
      let count = scratch.withUnsafeMutableBytes { encode(source, into: $0) }
      output.append(contentsOf: scratch[..<count])
    }
    if scratch.count > Self.scratchMax { scratch = [] }
  }

  private func bound(_ count: Int) -> Int {
    switch coding {
    case .identity: 0
    case .gzip: libdeflate_gzip_compress_bound(gzip, count)
    case .zstd: ZSTD_compressBound(count)
    }
  }

  private func encode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
    if let gzip {
      let count = libdeflate_gzip_compress(
        gzip, source.baseAddress, source.count, target.baseAddress, target.count)
      precondition(count > 0, "the bound of libdeflate holds")
      return count
    }
    guard let zstd else { preconditionFailure("identity is not encoded") }
    let count = ZSTD_compressCCtx(
      zstd, target.baseAddress, target.count, source.baseAddress, source.count, CInt(level))
    precondition(ZSTD_isError(count) == 0, "the bound of zstd holds")
    return count
  }
}
