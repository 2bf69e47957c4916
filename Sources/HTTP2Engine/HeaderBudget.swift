/// Collects one header list within its budget; past it the list is read on but not kept.
struct HeaderBudget {
  private(set) var fields = HeaderFields()
  private(set) var isExceeded = false
  private var bytesLeft: Int
  private var fieldsLeft: Int

  init(bytes: Int, fields: Int) {
    bytesLeft = bytes
    fieldsLeft = fields
  }

  /// Charges a field. False: it is not to be kept.
  mutating func charge(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    bytesLeft -= name.count + value.count + 32
    fieldsLeft -= 1
    if bytesLeft < 0 || fieldsLeft < 0 { isExceeded = true }
    return !isExceeded
  }

  /// Charges and keeps a field.
  mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    if charge(name, value) { fields.append(name: name, value: value) }
  }
}
