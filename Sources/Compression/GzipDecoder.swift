import CCompression

/// One gzip member at a time, by libdeflate, which checks header, checksum and length of each.
final class GzipDecoder: PartDecoder {
  // SAFETY: allocated in `init`, freed in `deinit`, never handed out; libdeflate touches it only during a call.
  private let context: OpaquePointer

  init() {
    guard let context = libdeflate_alloc_decompressor() else { preconditionFailure("no memory for a gzip decoder") }
    self.context = context
  }

  deinit { libdeflate_free_decompressor(context) }

  /// ISIZE of the last member (RFC 1952, 2.3.1): all of the body where there is one member.
  func statedSize(_ input: UnsafeRawBufferPointer) -> Int {
    guard input.count >= 18 else { return 0 }
    return Int(UInt32(littleEndian: input.loadUnaligned(fromByteOffset: input.count - 4, as: UInt32.self)))
  }

  func decodePart(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodedPart {
    var read = 0
    var written = 0
    let result = libdeflate_gzip_decompress_ex(
      context, input.baseAddress, input.count, output.baseAddress, output.count, &read, &written)
    return switch result {
    case LIBDEFLATE_SUCCESS: .done(read: read, written: written)
    case LIBDEFLATE_INSUFFICIENT_SPACE: .needsRoom
    default: .malformed
    }
  }
}
