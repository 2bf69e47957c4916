import CCompression

/// What many short bodies have in common, made of samples of them: each body is then compressed by itself about as
/// well as all of them together would be. Immutable; it has to be kept as long as anything that was compressed with it.
public final class FrameDictionary {
  /// Fewer bytes of samples make no dictionary.
  public static let sampleBytesMin = 4096

  // SAFETY: allocated in `init`, freed in `deinit` or `finishCompressing`, handed to `FrameCoder` for a call only.
  private(set) var encoding: OpaquePointer?
  let decoding: OpaquePointer

  /// A dictionary of the last `contentBytes` of some samples, which lie one after the other and have these lengths.
  /// `nil` where nothing can be made of them.
  public init?(samples: [UInt8], lengths: [Int], contentBytes: Int, level: Int) {
    guard samples.count >= Self.sampleBytesMin, !lengths.isEmpty else { return nil }
    precondition(lengths.reduce(0, +) == samples.count, "samples have the lengths that are given")
    let bytes = Self.finalized(samples, lengths, contentBytes, level)
    // SAFETY: both calls copy what they are given.
    (encoding, decoding) = bytes.withUnsafeBytes { source in
      guard let decoding = ZSTD_createDDict(source.baseAddress, source.count) else {
        preconditionFailure("no memory for a dictionary")
      }
      return (ZSTD_createCDict(source.baseAddress, source.count, CInt(level)), decoding)
    }
    precondition(encoding != nil, "no memory for a dictionary")
  }

  deinit {
    ZSTD_freeCDict(encoding)
    ZSTD_freeDDict(decoding)
  }

  /// Gives back what only compression needs: from now on the dictionary inflates.
  public func finishCompressing() {
    ZSTD_freeCDict(encoding)
    encoding = nil
  }

  /// Bytes it occupies.
  public var byteCount: Int { ZSTD_sizeof_CDict(encoding) &+ ZSTD_sizeof_DDict(decoding) }

  /// The content with the entropy tables of the samples in front; the content alone where the samples are too uniform
  /// or too few for tables.
  private static func finalized(_ samples: [UInt8], _ lengths: [Int], _ contentBytes: Int, _ level: Int) -> [UInt8] {
    let content = samples.suffix(max(256, contentBytes))
    var parameters = ZDICT_params_t()
    parameters.compressionLevel = CInt(level)
    let room = content.count &+ (8 << 10)
    var written = 0
    // SAFETY: no pointer leaves its closure; the output does not overlap the inputs.
    let output = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      written = content.withUnsafeBytes { content in
        samples.withUnsafeBytes { samples in
          ZDICT_finalizeDictionary(
            buffer.baseAddress, room, content.baseAddress, content.count, samples.baseAddress, lengths,
            UInt32(clamping: lengths.count), parameters)
        }
      }
      count = ZDICT_isError(written) == 0 ? written : 0
    }
    return output.isEmpty ? Array(content) : output
  }
}
