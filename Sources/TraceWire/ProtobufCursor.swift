/// A reader over one protobuf message in a buffer. Every read is checked against the end of the message, and the
/// buffer's own bounds stand behind that; a varint may be longer than it needs to be, but no longer than ten bytes.
///
/// A field of a known number but another wire type is an unknown field, as in every protobuf parser: compare whole
/// tags (`number << 3 | wire type`) and hand everything else to `skip`.
@frozen public struct ProtobufCursor: ~Escapable {
  /// The whole buffer; offsets count from its start.
  public let bytes: RawSpan
  /// Offset of the next byte to read.
  public private(set) var position: Int
  /// Offset after the message's last byte.
  public let end: Int

  /// How many messages and groups may lie inside each other, the outermost included: protobuf's usual limit.
  @inlinable public static var depthMax: Int { 100 }

  /// Makes a reader over a part of the buffer.
  @_lifetime(copy bytes)
  @inline(__always)
  public init(_ bytes: RawSpan, from lower: Int, to upper: Int) {
    precondition(lower >= 0 && lower <= upper && upper <= bytes.byteCount, "a message lies inside its buffer")
    self.bytes = bytes
    position = lower
    end = upper
  }

  /// Makes a reader over the message in a range of the buffer.
  @_lifetime(copy bytes)
  @inline(__always)
  public init(_ bytes: RawSpan, in range: ByteRange) {
    self.init(bytes, from: Int(range.lower), to: Int(range.upper))
  }

  /// Whether there is anything left to read.
  @inline(__always) public var hasMore: Bool { position < end }

  /// Reads a base-128 number; bits past the 64th are dropped.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func varint() throws(WireFault) -> UInt64 {
    guard position < end else { throw WireFault(.truncated, at: position) }
    let first = byte(position)
    if first < 0x80 {
      position &+= 1
      return UInt64(first)
    }
    return try longVarint()
  }

  /// Reads a field's tag; it has at most five bytes and 32 bits.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func tag() throws(WireFault) -> UInt64 {
    guard position < end else { throw WireFault(.truncated, at: position) }
    let first = byte(position)
    if first < 0x80 {
      position &+= 1
      return UInt64(first)
    }
    return try longTag()
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func longTag() throws(WireFault) -> UInt64 {
    let start = position
    let value = try longVarint()
    guard position &- start <= 5, value <= 0xffff_ffff else { throw WireFault(.badTag, at: start) }
    return value
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func longVarint() throws(WireFault) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let next = byte(position)
      position &+= 1
      value |= UInt64(next & 0x7f) &<< shift
      if next < 0x80 { return value }
      shift &+= 7
      if shift > 63 { throw WireFault(.badVarint, at: start) }
    }
    throw WireFault(.truncated, at: position)
  }

  /// Reads the length and steps over the bytes of a length-delimited field; gives where they lie.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func delimited() throws(WireFault) -> ByteRange {
    let start = position
    let count = try varint()
    guard count <= UInt64(truncatingIfNeeded: end &- position) else { throw WireFault(.badLength, at: start) }
    let lower = position
    position &+= Int(truncatingIfNeeded: count)
    return ByteRange(lower, position)
  }

  /// Reads eight bytes, little endian.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func fixed64() throws(WireFault) -> UInt64 {
    guard end &- position >= 8 else { throw WireFault(.truncated, at: position) }
    let value = bytes.littleEndian64(at: position)
    position &+= 8
    return value
  }

  /// Reads four bytes, little endian.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func fixed32() throws(WireFault) -> UInt32 {
    guard end &- position >= 4 else { throw WireFault(.truncated, at: position) }
    let value = bytes.littleEndian32(at: position)
    position &+= 4
    return value
  }

  /// Steps over the value of a field whose tag was just read, and refuses tags that no field can have.
  /// `depth` counts the messages around the field, its own included; a group inside counts as one more.
  @_lifetime(self: copy self)
  @inline(__always)
  public mutating func skip(_ tag: UInt64, depth: Int) throws(WireFault) {
    if tag & 7 == 2, tag > 7, tag <= 0xffff_ffff {
      _ = try delimited()
    } else {
      try skipUndelimited(tag, depth: depth)
    }
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func skipUndelimited(_ tag: UInt64, depth: Int) throws(WireFault) {
    guard tag >= 8, tag <= 0xffff_ffff else { throw WireFault(.badTag, at: position) }
    switch tag & 7 {
    case 0: _ = try varint()
    case 1: _ = try fixed64()
    case 2: _ = try delimited()
    case 3: try skipGroup(tag >> 3, depth: depth &+ 1)
    case 5: _ = try fixed32()
    default: throw WireFault(.badWireType, at: position)
    }
  }

  /// Steps over a group up to and with its end tag; recursion ends at `depthMax`.
  @_lifetime(self: copy self)
  private mutating func skipGroup(_ number: UInt64, depth: Int) throws(WireFault) {
    guard depth <= Self.depthMax else { throw WireFault(.tooDeep, at: position) }
    while true {
      let tag = try varint()
      if tag == number << 3 | 4 { return }
      try skip(tag, depth: depth)
    }
  }

  @inline(__always)
  private func byte(_ offset: Int) -> UInt8 { bytes.byte(at: offset) }
}
