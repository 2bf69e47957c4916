internal import TraceWire

/// What a destination answers is read without harm, and what was read is written as it was meant.
enum AnswerTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    if let response = try? ExportResponse(protobuf: bytes.span.bytes) {
      let written = response.protobuf
      let again = try succeeds("reading one's own answer") { try ExportResponse(protobuf: written.span.bytes) }
      try check(again == response, "another answer: \(again), not \(response)")
      _ = response.json
    }
    if let status = try? RPCStatus(protobuf: bytes.span.bytes) {
      let again = try succeeds("reading one's own status") { try RPCStatus(protobuf: status.protobuf.span.bytes) }
      try check(again == status, "another status: \(again), not \(status)")
      _ = status.json
    }
    try check(GRPCBinaryHeader.decode(GRPCBinaryHeader.encode(bytes)) == bytes, "a binary header that changes")
    let value = GRPCBinaryHeader.decode(bytes)
    try check((value?.count ?? 0) <= bytes.count, "a value longer than its text")
    let text = String(decoding: bytes, as: UTF8.self)
    try check(GRPCMessageText.encode(text).allSatisfy { (0x20...0x7e).contains($0) }, "a message no header may hold")
    let host = URLHost.find(ByteRange(0, bytes.count), in: bytes.span.bytes)
    try check(host.lies(in: ByteRange(0, bytes.count)), "a host outside of its URL")
    _ = try? GRPCMessagePrefix.read(at: 0, of: bytes.span.bytes)
  }
}
