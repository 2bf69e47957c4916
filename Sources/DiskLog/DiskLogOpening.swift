/// Which log this is: made with its file, and new when a damaged file was set aside.
public struct DiskLogIdentity: Sendable, Hashable {
  /// The 16 bytes of a random UUID.
  public let bytes: [UInt8]

  /// The UUID's text, in lower case.
  public var text: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// What was found when a log was opened.
public struct DiskLogOpening: Sendable, Equatable {
  /// How often this file was opened, 1 the first time; with the identity and an address it names a record for ever, also
  /// when the disk forgot what was committed.
  public internal(set) var epoch: UInt64 = 0
  /// Live records.
  public internal(set) var records = 0
  /// Their live bytes (headers and payloads).
  public internal(set) var bytes = 0
  /// Paths of damaged files that were set aside, each with a `-wal` beside it where there was one.
  public internal(set) var wasSetAside: [String] = []
  /// Records that were read out of a damaged file and are in the log now.
  public internal(set) var salvaged = 0
  /// Records seen to be damaged and left out, and stretches of a damaged file that could not be read: a lower bound.
  public internal(set) var lost = 0
}
