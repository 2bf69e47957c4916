internal import TraceWire

/// A header's members are those that splitting finds.
enum BaggageTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var header = BaggageHeader(ByteRange(0, bytes.count), of: bytes.span.bytes)
    for whole in bytes.pieces(",") {
      guard let member = header.next(in: bytes.span.bytes) else { throw FuzzFinding("missed \(whole.quoted)") }
      let wanted = BaggageReference(whole)
      try check(Array(bytes[member.whole.indices]) == whole, "not \(whole.quoted)")
      try check(Array(bytes[member.key.indices]) == wanted.key, "another name than \(wanted.key.quoted)")
      try check(Array(bytes[member.value.indices]) == wanted.value, "another value than \(wanted.value.quoted)")
    }
    try check(header.next(in: bytes.span.bytes) == nil, "a member more")
  }
}

/// W3C Baggage 3.2.1.1, by splitting.
struct BaggageReference {
  let whole: [UInt8]
  let key: [UInt8]
  let value: [UInt8]
  /// Bytes of the value and the properties behind it, those that count for the limit on length.
  let valueLength: Int

  init(_ member: [UInt8]) {
    whole = member
    let pair = member.prefix { $0 != UInt8(ascii: ";") }
    let name = pair.prefix { $0 != UInt8(ascii: "=") }
    key = name.trimmed
    let rest = pair.dropFirst(name.count + 1)
    value = rest.trimmed
    let blanks = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
    valueLength = rest.isEmpty ? member.count - pair.count : member.count - name.count - 1 - blanks
  }
}
