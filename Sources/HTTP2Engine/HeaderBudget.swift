/// What is left of the header limits for one block (headers or trailers).
struct HeaderBudget {
  enum Verdict {
    case keep
    /// Past the limit: not to be stored, but decoding goes on, so that the peer can be told.
    case drop
    /// So far past the limit that decoding costs too much: the stream is to be reset.
    case reset
  }

  private var bytes: Int
  private var fields: Int
  /// Decoding stops here. HPACK can make 4 KiB of each byte (a "header bomb").
  private var bytesToReset: Int
  private(set) var isExceeded = false

  init(_ limits: SessionLimits) {
    bytes = max(limits.headerBytesMax, 0)
    fields = max(limits.headerFieldsMax, 0)
    bytesToReset = 4 &* min(bytes, 1 << 30)
  }

  /// Counts one field.
  mutating func take(nameCount: Int, valueCount: Int) -> Verdict {
    let size = nameCount &+ valueCount &+ 32
    bytesToReset &-= size
    if bytesToReset < 0 { return .reset }
    if isExceeded { return .drop }
    bytes &-= size
    fields &-= 1
    isExceeded = bytes < 0 || fields < 0
    return isExceeded ? .drop : .keep
  }
}
