/// How far processors may make a request grow, and what they could not add for it.
struct GrowthLimit: Sendable {
  /// Longest value that is copied or made out of a peer's text.
  static let valueBytesMax = 4096
  /// Every request may grow by so much, and by its own size.
  static let requestBytesFree = 1 << 20

  private var left = 0
  /// Values that were cut to the longest length.
  private(set) var shortened = 0
  /// Values that were not added, for the request had grown enough.
  private(set) var refused = 0

  /// Begins with another request.
  mutating func begin(requestBytes: Int) { left = Self.requestBytesFree &+ requestBytes }

  /// Whether so many bytes may be added, which are taken off then.
  mutating func admits(_ count: Int) -> Bool {
    guard count <= left else {
      refused &+= 1
      return false
    }
    left &-= count
    return true
  }

  /// Cuts a text that is too long, between characters.
  mutating func shorten(_ text: inout [UInt8]) {
    guard text.count > Self.valueBytesMax else { return }
    var end = Self.valueBytesMax
    while end > Self.valueBytesMax - 4, text[end] & 0xc0 == 0x80 { end -= 1 }
    text.removeSubrange(end...)
    shortened &+= 1
  }
}
