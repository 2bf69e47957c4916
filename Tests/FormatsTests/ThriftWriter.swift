/// Writes Thrift's binary protocol, for tests.
struct ThriftWriter {
  var bytes: [UInt8] = []

  mutating func word(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }

  private mutating func field(_ id: Int16, _ type: UInt8) {
    bytes.append(type)
    word(id)
  }

  mutating func bool(_ id: Int16, _ value: Bool) {
    field(id, 2)
    bytes.append(value ? 1 : 0)
  }

  mutating func double(_ id: Int16, _ value: Double) {
    field(id, 4)
    word(value.bitPattern)
  }

  mutating func i32(_ id: Int16, _ value: Int32) {
    field(id, 8)
    word(value)
  }

  mutating func i64(_ id: Int16, _ value: Int64) {
    field(id, 10)
    word(value)
  }

  mutating func string(_ id: Int16, _ value: String) {
    field(id, 11)
    word(Int32(value.utf8.count))
    bytes += value.utf8
  }

  mutating func structure(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
    field(id, 12)
    body(&self)
    bytes.append(0)
  }

  mutating func list(_ id: Int16, _ elements: [(inout ThriftWriter) -> Void]) {
    field(id, 15)
    bytes.append(12)
    word(Int32(elements.count))
    for element in elements {
      element(&self)
      bytes.append(0)
    }
  }
}
