import CCompression

/// Compresses short bodies into frames that stay in memory, and inflates them again; with a dictionary of what they
/// have in common where there is one. Contexts and buffers are kept, so one belongs to one thread. Frames are never a
/// peer's: one that cannot be inflated is a programmer's error.
public final class FrameCoder {
  /// The longest body.
  public static let bodyBytesMax = 1 << 20

  /// zstd's magic number, the same in front of every frame: left out of what is kept.
  private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

  // SAFETY: allocated in `init`, freed in `deinit`, never handed out; the library touches them only during a call.
  private let encoder: OpaquePointer
  private let decoder: OpaquePointer
  private var scratch: [UInt8] = []
  private let level: Int

  /// Makes a coder; `level` is zstd's for frames without a dictionary.
  public init(level: Int = 1) {
    guard let encoder = ZSTD_createCCtx(), let decoder = ZSTD_createDCtx() else {
      preconditionFailure("no memory for a coder of frames")
    }
    self.encoder = encoder
    self.decoder = decoder
    self.level = level
    // The owner knows which dictionary a frame was made with; four bytes a frame less.
    ZSTD_CCtx_setParameter(encoder, ZSTD_c_dictIDFlag, 0)
    ZSTD_CCtx_setParameter(encoder, ZSTD_c_checksumFlag, 0)
    ZSTD_CCtx_setParameter(encoder, ZSTD_c_contentSizeFlag, 1)
    ZSTD_CCtx_setParameter(encoder, ZSTD_c_compressionLevel, CInt(level))
  }

  deinit {
    ZSTD_freeCCtx(encoder)
    ZSTD_freeDCtx(decoder)
  }

  /// Bytes it occupies.
  public var byteCount: Int { ZSTD_sizeof_CCtx(encoder) &+ ZSTD_sizeof_DCtx(decoder) &+ scratch.capacity }

  /// Appends the frame of a body. The output grows by what was written, not by what might have been.
  public func compress(_ body: RawSpan, with dictionary: FrameDictionary?, to output: inout [UInt8]) {
    precondition(body.byteCount <= Self.bodyBytesMax, "a body is not longer than the longest")
    let bound = ZSTD_compressBound(body.byteCount)
    if scratch.count < bound { scratch = [UInt8](repeating: 0, count: max(bound, 16 << 10)) }
    ZSTD_CCtx_refCDict(encoder, dictionary?.encoding)
    // SAFETY: no pointer leaves its closure; body and scratch do not overlap.
    let count = scratch.withUnsafeMutableBytes { target in
      body.withUnsafeBytes { ZSTD_compress2(encoder, target.baseAddress, target.count, $0.baseAddress, $0.count) }
    }
    precondition(ZSTD_isError(count) == 0 && count > Self.magic.count, "the bound of zstd holds")
    output.append(contentsOf: scratch[Self.magic.count..<count])
  }

  /// How long the body of a frame is.
  public func bodyBytes(of frame: RawSpan) -> Int {
    var size = 0
    withWhole(frame) { size = Int(exactly: ZSTD_getFrameContentSize($0.baseAddress, $0.count)) ?? -1 }
    precondition((0...Self.bodyBytesMax).contains(size), "a frame states its size")
    return size
  }

  /// Appends the body of a frame that `compress` made with the same dictionary, for which there is room.
  public func inflate(_ frame: RawSpan, with dictionary: FrameDictionary?, to output: inout OutputSpan<UInt8>) {
    withWhole(frame) { whole in
      output.withUnsafeMutableBufferPointer { buffer, count in
        let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
        let written = ZSTD_decompress_usingDDict(
          decoder, target.baseAddress, target.count, whole.baseAddress, whole.count, dictionary?.decoding)
        precondition(ZSTD_isError(written) == 0 && written <= target.count, "a frame inflates to what was compressed")
        count &+= written
      }
    }
  }

  /// Puts the magic number back in front of a frame.
  private func withWhole(_ frame: RawSpan, _ body: (UnsafeRawBufferPointer) -> Void) {
    let count = frame.byteCount &+ Self.magic.count
    if scratch.count < count { scratch = [UInt8](repeating: 0, count: max(count, 16 << 10)) }
    // SAFETY: no pointer leaves its closure; frame and scratch do not overlap.
    scratch.withUnsafeMutableBytes { whole in
      whole.copyBytes(from: Self.magic)
      frame.withUnsafeBytes { frame in
        UnsafeMutableRawBufferPointer(rebasing: whole[Self.magic.count...]).copyMemory(from: frame)
      }
      body(UnsafeRawBufferPointer(rebasing: whole[..<count]))
    }
  }
}
