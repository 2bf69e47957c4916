/// Copies a message with some of its fields exchanged for others, some left out and some added at its end; everything
/// else stays byte for byte, unknown fields included. Its arrays are reused from message to message.
public struct MessageSplice: Sendable {
  private struct Exchange: Sendable {
    /// The field in the message, tag and length included.
    var record: ByteRange
    /// The tag of the field that stands for it; nil where there is none.
    var tag: UInt8?
    /// That field's content, in `made`.
    var body = ByteRange()
  }

  /// The contents of new fields, one after the other. Whoever makes one appends it here, and names the range.
  public var made: [UInt8] = []
  private var exchanges: [Exchange] = []
  private var additions: [Exchange] = []

  public init() {}

  /// Room that is kept from message to message.
  private static let bytesKept = 1 << 16
  private static let fieldsKept = 1 << 10

  /// Forgets all changes.
  public mutating func reset() {
    if made.capacity > Self.bytesKept || max(exchanges.capacity, additions.capacity) > Self.fieldsKept {
      self = MessageSplice()
    }
    made.removeAll(keepingCapacity: true)
    exchanges.removeAll(keepingCapacity: true)
    additions.removeAll(keepingCapacity: true)
  }

  /// Whether the message stays as it is.
  public var isEmpty: Bool { exchanges.isEmpty && additions.isEmpty }

  /// Leaves a field out. No field is named twice.
  public mutating func remove(_ record: ByteRange) { exchanges.append(Exchange(record: record, tag: nil)) }

  /// Puts another length-delimited field with a tag of one byte in a field's place.
  public mutating func replace(_ record: ByteRange, tag: UInt8, body: ByteRange) {
    exchanges.append(Exchange(record: record, tag: tag, body: body))
  }

  /// Adds a length-delimited field with a tag of one byte.
  public mutating func add(tag: UInt8, body: ByteRange) {
    additions.append(Exchange(record: ByteRange(), tag: tag, body: body))
  }

  /// Appends the message in a range of the bytes with its changes, without tag and length; gives where it is.
  public mutating func append(_ message: ByteRange, of bytes: RawSpan, to output: inout [UInt8]) -> ByteRange {
    let start = output.count
    exchanges.sort { $0.record.lower < $1.record.lower }
    var position = Int(message.lower)
    for exchange in exchanges {
      let lower = Int(exchange.record.lower)
      precondition(lower >= position && exchange.record.upper <= message.upper, "fields of the message, each once")
      output.append(ByteRange(position, lower), of: bytes)
      write(exchange, to: &output)
      position = Int(exchange.record.upper)
    }
    output.append(ByteRange(position, Int(message.upper)), of: bytes)
    for addition in additions { write(addition, to: &output) }
    return ByteRange(start, output.count)
  }

  private func write(_ field: Exchange, to output: inout [UInt8]) {
    guard let tag = field.tag else { return }
    output.append(tag)
    output.appendVarint(UInt64(truncatingIfNeeded: field.body.count))
    output.append(field.body, of: made.span.bytes)
  }
}
