/// The five bytes before each message in a gRPC body: a flag and a big-endian length.
public struct GRPCMessagePrefix: Hashable, Sendable {
  /// How many bytes a prefix has.
  public static let size = 5

  /// Whether the message is compressed with the stream's `grpc-encoding`.
  public var isCompressed: Bool
  /// How many bytes follow. A peer's number: check it against the limit before anything is allocated.
  public var length: UInt32

  /// Makes a prefix.
  public init(isCompressed: Bool, length: UInt32) {
    self.isCompressed = isCompressed
    self.length = length
  }

  /// Reads the prefix at an offset; `nil` where not all of it is there yet.
  /// Throws `badValue` where the flag is neither 0 nor 1.
  public static func read(at offset: Int, of bytes: RawSpan) throws(WireFault) -> GRPCMessagePrefix? {
    guard offset >= 0, offset <= bytes.byteCount, bytes.byteCount &- offset >= size else { return nil }
    let flag = bytes.byte(at: offset)
    guard flag <= 1 else { throw WireFault(.badValue, at: offset) }
    var length: UInt32 = 0
    for index in 1..<size { length = length << 8 | UInt32(bytes.byte(at: offset &+ index)) }
    return GRPCMessagePrefix(isCompressed: flag == 1, length: length)
  }

  /// Appends the five bytes.
  public func append(to output: inout [UInt8]) {
    output.append(isCompressed ? 1 : 0)
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
      output.append(UInt8(truncatingIfNeeded: length >> shift))
    }
  }
}
