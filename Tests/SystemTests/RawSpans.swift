import Foundation

/// The messages of spans as they lie in a request, cut out without any of the product's code.
enum RawSpans {
  struct Malformed: Error {}

  static func read(_ request: Data) throws -> [Data] {
    try fields(1, of: request).flatMap { try fields(2, of: $0) }.flatMap { try fields(2, of: $0) }
  }

  /// The contents of every length-delimited field with this number.
  static func fields(_ number: UInt64, of message: Data) throws -> [Data] {
    var rest = message[...]
    var found: [Data] = []
    var groups = 0
    while !rest.isEmpty {
      let tag = try varint(&rest)
      switch tag & 7 {
      case 0: _ = try varint(&rest)
      case 1: rest = rest.dropFirst(8)
      case 3: groups += 1
      case 4: groups -= 1
      case 5: rest = rest.dropFirst(4)
      case 2:
        let length = Int(try varint(&rest))
        guard length <= rest.count else { throw Malformed() }
        if tag >> 3 == number, groups == 0 { found.append(Data(rest.prefix(length))) }
        rest = rest.dropFirst(length)
      default: throw Malformed()
      }
    }
    return found
  }

  private static func varint(_ rest: inout Data) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw Malformed() }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }
}
