internal import TraceWire

/// A reader of Thrift's binary protocol (Apache Thrift, "Thrift Binary protocol encoding"), checked against the
/// bytes' end. Numbers are big endian. A list's length is a peer's word: each of its elements has at least a byte.
struct ThriftCursor: ~Escapable {
  /// A value's type on the wire.
  enum Kind: UInt8 {
    case bool = 2
    case byte = 3
    case double = 4
    case i16 = 6
    case i32 = 8
    case i64 = 10
    case string = 11
    case structure = 12
    case map = 13
    case set = 14
    case list = 15
  }

  /// What stands in front of a field's value.
  struct Field: Equatable {
    var id: Int16
    var kind: Kind

    init(_ id: Int16, _ kind: Kind) {
      self.id = id
      self.kind = kind
    }
  }

  let bytes: RawSpan
  /// Offset of the next byte to read.
  private(set) var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  /// Whether everything is read.
  var isAtEnd: Bool { position == bytes.byteCount }

  /// Reads a field's type and number; `nil` at the end of its structure.
  @_lifetime(self: copy self)
  mutating func field() throws(WireFault) -> Field? {
    let start = position
    let number = try byte()
    guard number != 0 else { return nil }
    guard let kind = Kind(rawValue: number) else { throw WireFault(.badWireType, at: start) }
    let (high, low) = (Int16(try byte()), Int16(try byte()))
    return Field(high << 8 | low, kind)
  }

  @_lifetime(self: copy self)
  mutating func bool() throws(WireFault) -> Bool { try byte() != 0 }

  @_lifetime(self: copy self)
  mutating func i32() throws(WireFault) -> Int32 {
    let start = try advance(by: 4)
    return Int32(bitPattern: bytes.bigEndian32(at: start))
  }

  @_lifetime(self: copy self)
  mutating func i64() throws(WireFault) -> Int64 {
    let start = try advance(by: 8)
    return Int64(bitPattern: bytes.bigEndian64(at: start))
  }

  @_lifetime(self: copy self)
  mutating func double() throws(WireFault) -> Double { Double(bitPattern: UInt64(bitPattern: try i64())) }

  /// Reads a string or binary value; gives where it lies.
  @_lifetime(self: copy self)
  mutating func string() throws(WireFault) -> ByteRange {
    let start = position
    let count = Int(try i32())
    guard count >= 0, count <= bytes.byteCount &- position else { throw WireFault(.badLength, at: start) }
    position &+= count
    return ByteRange(position &- count, position)
  }

  /// Reads a list's header, whose elements must be of a kind; gives how many there are.
  @_lifetime(self: copy self)
  mutating func list(of kind: Kind) throws(WireFault) -> Int {
    let start = position
    let (found, count) = try listHeader()
    // Empty lists are written with any type.
    guard found == kind.rawValue || count == 0 else { throw WireFault(.badWireType, at: start) }
    return count
  }

  @_lifetime(self: copy self)
  private mutating func listHeader() throws(WireFault) -> (kind: UInt8, count: Int) {
    let kind = try byte()
    return (kind, try count())
  }

  @_lifetime(self: copy self)
  private mutating func count() throws(WireFault) -> Int {
    let start = position
    let count = Int(try i32())
    guard count >= 0, count <= bytes.byteCount &- position else { throw WireFault(.badLength, at: start) }
    return count
  }

  /// Goes back to where something was stepped over.
  @_lifetime(self: copy self)
  mutating func move(to offset: Int) { position = offset }

  /// Steps over a value. `depth` counts the containers around it; recursion ends at `ProtobufCursor.depthMax`.
  @_lifetime(self: copy self)
  mutating func skip(_ kind: Kind, depth: Int) throws(WireFault) {
    guard depth <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: position) }
    switch kind {
    case .bool, .byte: _ = try advance(by: 1)
    case .i16: _ = try advance(by: 2)
    case .i32: _ = try advance(by: 4)
    case .i64, .double: _ = try advance(by: 8)
    case .string: _ = try string()
    case .structure: while let field = try field() { try skip(field.kind, depth: depth &+ 1) }
    case .list, .set:
      let start = position
      let (element, count) = try listHeader()
      try skip(count, [element], at: start, depth: depth)
    case .map:
      let start = position
      let (key, value) = (try byte(), try byte())
      try skip(try count(), [key, value], at: start, depth: depth)
    }
  }

  @_lifetime(self: copy self)
  private mutating func skip<let width: Int>(
    _ count: Int, _ kinds: InlineArray<width, UInt8>, at start: Int, depth: Int
  ) throws(WireFault) {
    for _ in 0..<count {
      for index in kinds.indices {
        guard let kind = Kind(rawValue: kinds[index]) else { throw WireFault(.badWireType, at: start) }
        try skip(kind, depth: depth &+ 1)
      }
    }
  }

  @inline(__always)
  @_lifetime(self: copy self)
  private mutating func byte() throws(WireFault) -> UInt8 { bytes.byte(at: try advance(by: 1)) }

  /// Steps over so many bytes; gives where they begin.
  @inline(__always)
  @_lifetime(self: copy self)
  private mutating func advance(by count: Int) throws(WireFault) -> Int {
    guard bytes.byteCount &- position >= count else { throw WireFault(.truncated, at: position) }
    position &+= count
    return position &- count
  }
}
