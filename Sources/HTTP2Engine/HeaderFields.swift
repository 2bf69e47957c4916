/// Header fields as one block of bytes: names in lower case, values as they came. No `String` until somebody asks.
public struct HeaderFields: Sendable, ExpressibleByDictionaryLiteral {
  /// Where a name and its value lie in `storage`.
  private struct Field {
    var name: Range<Int>
    var value: Range<Int>
  }

  private var storage: [UInt8] = []
  private var fields: [Field] = []

  /// No fields.
  public init() {}

  /// No fields yet, but room for so many and their bytes.
  init(fieldCount: Int, byteCount: Int) {
    storage.reserveCapacity(byteCount)
    fields.reserveCapacity(fieldCount)
  }

  /// Fields of names (in lower case) and values.
  public init(dictionaryLiteral pairs: (StaticString, String)...) {
    for (name, value) in pairs { append(name, value) }
  }

  /// The number of fields.
  public var count: Int { fields.count }

  /// Adds a field; ASCII capitals in the name become small letters.
  public mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    let start = storage.count
    for byte in name { storage.append((0x41...0x5a).contains(byte) ? byte | 0x20 : byte) }
    let middle = storage.count
    storage.append(contentsOf: value)
    fields.append(Field(name: start..<middle, value: middle..<storage.count))
  }

  /// Adds a field; the name is in lower case already.
  public mutating func append(_ name: StaticString, _ value: String) {
    let start = storage.count
    name.withUTF8Buffer { storage.append(contentsOf: $0) }
    let middle = storage.count
    storage.append(contentsOf: value.utf8)
    fields.append(Field(name: start..<middle, value: middle..<storage.count))
  }

  /// Adds a field; capitals in the name become small letters.
  public mutating func append(name: String, value: String) {
    let start = storage.count
    for byte in name.utf8 { storage.append((0x41...0x5a).contains(byte) ? byte | 0x20 : byte) }
    let middle = storage.count
    storage.append(contentsOf: value.utf8)
    fields.append(Field(name: start..<middle, value: middle..<storage.count))
  }

  /// Adds all fields of others behind these.
  public mutating func append(contentsOf others: HeaderFields) {
    let start = storage.count
    storage.append(contentsOf: others.storage)
    for field in others.fields {
      fields.append(
        Field(
          name: field.name.lowerBound + start..<field.name.upperBound + start,
          value: field.value.lowerBound + start..<field.value.upperBound + start))
    }
  }

  /// The first value of a name given in lower case.
  public subscript(name: StaticString) -> ArraySlice<UInt8>? {
    name.withUTF8Buffer { wanted in
      for field in fields where field.name.count == wanted.count {
        if storage[field.name].elementsEqual(wanted) { return storage[field.value] }
      }
      return nil
    }
  }

  /// The first value of a name given in lower case, and how many there are.
  public func values(of name: [UInt8]) -> (first: ArraySlice<UInt8>?, count: Int) {
    var found: (first: ArraySlice<UInt8>?, count: Int) = (nil, 0)
    for field in fields where field.name.count == name.count && storage[field.name].elementsEqual(name) {
      if found.first == nil { found.first = storage[field.value] }
      found.count += 1
    }
    return found
  }

  /// The first value of a name as text; bytes that are not UTF-8 are replaced.
  public func text(_ name: StaticString) -> String? { self[name].map { String(decoding: $0, as: UTF8.self) } }

  /// Hands out every field in order.
  public func forEach(_ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void) {
    for field in fields { body(storage[field.name], storage[field.value]) }
  }

  /// Shows every field as pointers, then calls `body` while they are still valid.
  func withRawFields<Result>(
    _ show: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void, then body: () -> Result
  ) -> Result {
    storage.withUnsafeBufferPointer { bytes in
      for field in fields {
        show(UnsafeBufferPointer(rebasing: bytes[field.name]), UnsafeBufferPointer(rebasing: bytes[field.value]))
      }
      return body()
    }
  }
}
