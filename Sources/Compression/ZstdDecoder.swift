import CCompression

/// One zstd frame at a time (RFC 8878), skippable frames as empty ones. Frames of the formats before 1.0, which
/// libzstd may still read, and frames that need a dictionary are malformed.
final class ZstdDecoder: PartDecoder {
  // SAFETY: allocated in `init`, freed in `deinit`, never handed out; libzstd touches it only during a call.
  private let context: OpaquePointer

  init() {
    guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for a zstd decoder") }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// The content size in the first frame's header.
  func statedSize(_ input: UnsafeRawBufferPointer) -> Int {
    guard Self.isFrame(input) else { return 0 }
    // "Unknown" and "error" are the two largest numbers, which no `Int` holds.
    return Int(exactly: ZSTD_getFrameContentSize(input.baseAddress, input.count)) ?? 0
  }

  func decodePart(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodedPart {
    let size = ZSTD_findFrameCompressedSize(input.baseAddress, input.count)
    guard input.count >= 4, ZSTD_isError(size) == 0, size > 0, size <= input.count else { return .malformed }
    guard Self.isFrame(input) else {
      return Self.magic(input) & 0xffff_fff0 == 0x184d_2a50 ? .done(read: size, written: 0) : .malformed
    }
    let written = ZSTD_decompressDCtx(context, output.baseAddress, output.count, input.baseAddress, size)
    guard ZSTD_isError(written) == 0 else {
      return ZSTD_getErrorCode(written) == ZSTD_error_dstSize_tooSmall ? .needsRoom : .malformed
    }
    return .done(read: size, written: written)
  }

  private static func isFrame(_ input: UnsafeRawBufferPointer) -> Bool {
    input.count >= 4 && magic(input) == 0xfd2f_b528
  }

  private static func magic(_ input: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(littleEndian: input.loadUnaligned(as: UInt32.self))
  }
}
