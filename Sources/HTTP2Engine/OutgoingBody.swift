/// A body on its way out, in two pieces so that five bytes in front of a big body need no copy of it, and the
/// trailers behind it.
struct OutgoingBody {
  private var prefix: [UInt8] = []
  private var body: [UInt8] = []
  private var sent = 0
  private(set) var trailers = HeaderFields()

  init() {}

  init(prefix: [UInt8] = [], body: [UInt8], trailers: HeaderFields = HeaderFields()) {
    self.prefix = prefix
    self.body = body
    self.trailers = trailers
  }

  /// Bytes still to be sent.
  var left: Int { prefix.count + body.count - sent }

  /// Hands on the next bytes, of which so many must be left; the memory of both pieces is given back with the last.
  mutating func send(_ byteCount: Int, _ sink: (UnsafeRawBufferPointer) -> Void) {
    let end = sent + byteCount
    Self.send(prefix, from: sent, to: end, sink)
    Self.send(body, from: sent - prefix.count, to: end - prefix.count, sink)
    sent = end
    if left == 0 {
      prefix = []
      body = []
      sent = 0
    }
  }

  private static func send(
    _ piece: [UInt8], from start: Int, to end: Int, _ sink: (UnsafeRawBufferPointer) -> Void
  ) {
    let (start, end) = (max(start, 0), min(end, piece.count))
    guard start < end else { return }
    piece.withUnsafeBytes { sink(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
  }
}
