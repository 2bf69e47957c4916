/// Why a body could not be decompressed.
public enum CompressionFault: Error, Hashable, Sendable {
  /// Not what its coding says, cut off, or followed by something else.
  case malformed
  /// Longer than the limit once decompressed.
  case tooLarge
  /// The caller has no memory for it now.
  case noRoom
}
