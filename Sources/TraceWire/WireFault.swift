/// Why a message could not be read: the kind and the offset, never the peer's own bytes.
public struct WireFault: Error, Hashable, Sendable {
  /// What is wrong at the offset.
  public enum Kind: String, Sendable {
    case truncated = "truncated"
    case badVarint = "varint longer than ten bytes"
    case badTag = "field number zero or out of range"
    case badWireType = "unknown wire type"
    case badLength = "length past the end of its message"
    case tooDeep = "nested too deeply"
    case badSyntax = "not valid JSON"
    case badValue = "value of the wrong type or out of range"
    case excessive = "resource repeated for far too many parts"
  }

  /// What is wrong.
  public var kind: Kind
  /// Byte offset in the message that was being read.
  public var offset: Int

  /// Makes a fault at an offset.
  public init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }
}

extension WireFault: CustomStringConvertible {
  /// A sentence for the peer and the log.
  public var description: String { "\(kind.rawValue) at byte \(offset)" }
}
