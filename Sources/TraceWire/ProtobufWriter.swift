/// A writer of protobuf messages for the paths that are not hot: answers, translations, generated traffic.
/// It writes every field it is told to, default values too.
public struct ProtobufWriter: Sendable {
  /// What has been written.
  public var bytes: [UInt8]

  /// Makes a writer that appends to these bytes.
  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  /// Writes a number: int32, int64 (their bit patterns as 64 bits), uint32, uint64, enum.
  public mutating func varint(_ field: Int, _ value: UInt64) {
    bytes.appendTag(field, 0)
    bytes.appendVarint(value)
  }

  /// Writes a signed number as int32 and int64 do: ten bytes where it is negative.
  public mutating func int(_ field: Int, _ value: Int64) { varint(field, UInt64(bitPattern: value)) }

  /// Writes a truth value.
  public mutating func bool(_ field: Int, _ value: Bool) { varint(field, value ? 1 : 0) }

  /// Writes eight bytes.
  public mutating func fixed64(_ field: Int, _ value: UInt64) {
    bytes.appendTag(field, 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// Writes a floating-point number of eight bytes.
  public mutating func double(_ field: Int, _ value: Double) { fixed64(field, value.bitPattern) }

  /// Writes four bytes.
  public mutating func fixed32(_ field: Int, _ value: UInt32) {
    bytes.appendTag(field, 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// Writes bytes, or an encoded message.
  public mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    bytes.appendTag(field, 2)
    bytes.appendVarint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Writes a string.
  public mutating func string(_ field: Int, _ value: some StringProtocol) { bytes(field, value.utf8) }

  /// Writes a message whose fields the body writes.
  public mutating func message<Failure>(
    _ field: Int, _ body: (inout ProtobufWriter) throws(Failure) -> Void
  ) throws(Failure) {
    bytes.appendTag(field, 2)
    let start = bytes.count
    try body(&self)
    var length: [UInt8] = []
    length.appendVarint(UInt64(bytes.count - start))
    bytes.insert(contentsOf: length, at: start)
  }
}

extension [UInt8] {
  /// Appends a base-128 number in its shortest form.
  @inlinable public mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends the tag of a field: its number and wire type.
  public mutating func appendTag(_ field: Int, _ wireType: UInt64) {
    precondition(field > 0 && field < 1 << 29, "field numbers have 29 bits")
    appendVarint(UInt64(field) << 3 | wireType)
  }
}

extension UInt64 {
  /// How many bytes the number's shortest varint has.
  @inlinable package var varintSize: Int { (70 - (self | 1).leadingZeroBitCount) / 7 }
}
