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

  /// Copies the next bytes; the memory of both pieces is given back with the last of them.
  mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    var copied = 0
    if sent < prefix.count { copied = Self.copy(prefix, from: sent, into: target) }
    if sent + copied >= prefix.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[copied...])
      copied += Self.copy(body, from: sent + copied - prefix.count, into: rest)
    }
    sent += copied
    if left == 0 {
      prefix = []
      body = []
      sent = 0
    }
    return copied
  }

  private static func copy(_ piece: [UInt8], from start: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(piece.count - start, target.count)
    guard count > 0 else { return 0 }
    piece.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
    return count
  }
}
