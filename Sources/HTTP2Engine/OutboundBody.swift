internal import CNghttp2

/// A body on its way out, in up to two pieces that are not joined, with the trailers that follow it.
struct OutboundBody {
  private let prefix: [UInt8]
  private let body: [UInt8]
  let trailers: HeaderFields
  private var sent = 0

  init(prefix: [UInt8] = [], body: [UInt8], trailers: HeaderFields = HeaderFields()) {
    self.prefix = prefix
    self.body = body
    self.trailers = trailers
  }

  var isSent: Bool { sent == prefix.count + body.count }

  /// Copies the next bytes; how many.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var copied = 0
    for (piece, start) in [(prefix, 0), (body, prefix.count)] {
      let from = sent - start
      guard from >= 0, from < piece.count, copied < buffer.count else { continue }
      let count = min(piece.count - from, buffer.count - copied)
      piece.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: buffer[copied..<copied + count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[from..<from + count]))
      }
      copied += count
      sent += count
    }
    return copied
  }

  /// nghttp2's data source: copies, and says when it was the last and whether trailers follow.
  mutating func fill(
    _ buffer: UnsafeMutableRawBufferPointer, _ flags: UnsafeMutablePointer<UInt32>?, session: OpaquePointer?,
    stream: Int32
  ) -> Int {
    let count = read(into: buffer)
    guard isSent else { return count }
    flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
    if trailers.count > 0 {
      flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
      _ = NameValueList.with([], trailers) { nghttp2_submit_trailer(session, stream, $0, $1) }
    }
    return count
  }
}
