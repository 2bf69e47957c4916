/// Protobuf that is written before its lengths are known. A message gets one byte for its length, which is enough for
/// most; longer lengths are noted and put in by one copy at the end, so that depth does not multiply the work.
struct OTLPJSONOutput {
  /// A message that is being written.
  struct OpenMessage {
    fileprivate var start: Int
    fileprivate var widening: Int
  }

  private struct LongLength {
    var offset: Int
    var value: Int
  }

  /// What has been written, with one byte for each length.
  var bytes: [UInt8] = []
  private var longLengths: [LongLength] = []
  /// How many bytes the noted lengths need more than the one they have.
  private var widening = 0

  /// Begins a field whose length is not known yet.
  mutating func open(_ field: Int) -> OpenMessage {
    bytes.appendTag(field, 2)
    bytes.append(0)
    return OpenMessage(start: bytes.count, widening: widening)
  }

  /// Ends the field that was begun last and is not ended.
  mutating func close(_ message: OpenMessage) {
    let length = bytes.count &- message.start &+ (widening &- message.widening)
    if length < 0x80 {
      bytes[message.start &- 1] = UInt8(truncatingIfNeeded: length)
    } else {
      longLengths.append(LongLength(offset: message.start &- 1, value: length))
      widening &+= UInt64(length).varintSize &- 1
    }
  }

  /// What was written, with all lengths in their places.
  mutating func finish() -> [UInt8] {
    guard !longLengths.isEmpty else { return bytes }
    // A message is noted after those inside of it, but begins before them.
    longLengths.sort { $0.offset < $1.offset }
    var finished: [UInt8] = []
    finished.reserveCapacity(bytes.count &+ widening)
    var copied = 0
    for length in longLengths {
      finished.append(contentsOf: bytes[copied..<length.offset])
      finished.appendVarint(UInt64(length.value))
      copied = length.offset &+ 1
    }
    finished.append(contentsOf: bytes[copied...])
    return finished
  }
}
