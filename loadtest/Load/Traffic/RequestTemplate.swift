import TraceWire

/// A prepared request and the places in it that change.
struct RequestTemplate {
  private let bytes: [UInt8]
  private let places: [SpanPlaces]

  var spanCount: Int { places.count }
  var byteCount: Int { bytes.count }

  init(_ piece: WirePiece) {
    bytes = piece.bytes
    places = piece.places
  }

  /// Half a microsecond of work a span at most is to be spent here: nothing is allocated but the request itself.
  func filled(firstTrace: UInt64, at time: UInt64) -> [UInt8] {
    var request = bytes
    request.withUnsafeMutableBytes { buffer in
      for span in places {
        let trace = firstTrace &+ UInt64(truncatingIfNeeded: span.trace)
        Self.fill(span, trace, time &+ UInt64(truncatingIfNeeded: span.trace) &* 37_000, buffer)
      }
    }
    return request
  }

  private static func fill(
    _ span: SpanPlaces, _ trace: UInt64, _ time: UInt64, _ buffer: UnsafeMutableRawBufferPointer
  ) {
    let high = Scatter.word(trace)
    let low = Scatter.word(high ^ Scatter.golden)
    let own = spanID(low, span.place)
    buffer.put(high, at: span.traceID)
    buffer.put(low, at: span.traceID + 8)
    buffer.put(own, at: span.spanID)
    if span.parentID != 0 { buffer.put(spanID(low, span.parent), at: span.parentID) }
    // A child begins after its parent and ends before it; durations spread from 40 to 110 ms.
    let depth = UInt64(truncatingIfNeeded: span.place)
    let start = time &+ depth &* 3_000_000
    let end = time &+ 70_000_000 &+ (low & 0x1ff_ffff) &- depth &* 4_000_000
    buffer.put(start.byteSwapped, at: span.start)
    buffer.put(end.byteSwapped, at: span.end)
    if span.event != 0 { buffer.put((start &+ 1_000_000).byteSwapped, at: span.event) }
    buffer.putHex(own, at: span.path)
    // One user, one session a trace.
    buffer.putHex(high, at: span.user)
  }

  /// The ID of a trace's span; those that are in no request have one too.
  private static func spanID(_ low: UInt64, _ place: Int) -> UInt64 {
    Scatter.word(low &+ UInt64(truncatingIfNeeded: place &+ 1) &* Scatter.golden)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes a word, its highest byte first.
  fileprivate func put(_ word: UInt64, at offset: Int) {
    storeBytes(of: word.bigEndian, toByteOffset: offset, as: UInt64.self)
  }

  /// Writes a word as sixteen hexadecimal digits, eight at a time.
  fileprivate func putHex(_ word: UInt64, at offset: Int) {
    put(Self.hexDigits(word >> 32), at: offset)
    put(Self.hexDigits(word & 0xffff_ffff), at: offset + 8)
  }

  /// The digits of 32 bits, one a byte: half bytes are spread out, then made letters where they are above nine.
  private static func hexDigits(_ bits: UInt64) -> UInt64 {
    var spread = (bits | bits << 16) & 0x0000_ffff_0000_ffff
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
    spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f
    let isLetter = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    return spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 0x27
  }
}
