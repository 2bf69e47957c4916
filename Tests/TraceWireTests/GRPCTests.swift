import TestKit
import Testing
import TraceWire

@Suite("gRPC framing and headers") struct GRPCTests {
  @Test func knowsWhatMayBeRetried() {
    let retryable = GRPCStatusCode.allCases.filter { $0.isRetryable(hasRetryInfo: false) }.map(\.rawValue)
    #expect(retryable == [1, 4, 10, 11, 14, 15])
    let withInfo = GRPCStatusCode.allCases.filter { $0.isRetryable(hasRetryInfo: true) }.map(\.rawValue)
    #expect(withInfo == [1, 4, 8, 10, 11, 14, 15])
    #expect(GRPCStatusCode.allCases.map(\.rawValue) == Array(0...16))
    #expect(Set(GRPCStatusCode.allCases.map(\.name)).count == 17)
  }

  @Test(arguments: [
    ("0", GRPCStatusCode.ok), ("14", .unavailable), ("16", .unauthenticated), ("17", .unknown), ("", .unknown),
    ("-1", .unknown), ("140", .unknown), ("1x", .unknown), ("99999999999999999999999", .unknown),
  ])
  func readsStatusHeaders(_ text: String, _ code: GRPCStatusCode) {
    #expect(GRPCStatusCode(header: text.utf8) == code)
  }

  @Test(arguments: [
    (400, GRPCStatusCode.internal), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
    (429, .unavailable), (502, .unavailable), (503, .unavailable), (504, .unavailable), (500, .unknown),
    (200, .unknown),
  ])
  func mapsHTTP(_ status: Int, _ code: GRPCStatusCode) {
    #expect(GRPCStatusCode(httpStatus: status) == code)
  }

  @Test func writesMessagePrefixes() throws {
    var output: [UInt8] = [9]
    GRPCMessagePrefix(isCompressed: true, length: 0x0102_0304).append(to: &output)
    GRPCMessagePrefix(isCompressed: false, length: .max).append(to: &output)
    #expect(output == [9, 1, 1, 2, 3, 4, 0, 255, 255, 255, 255])
    #expect(
      try GRPCMessagePrefix.read(at: 1, of: output.span.bytes)
        == GRPCMessagePrefix(isCompressed: true, length: 0x0102_0304))
    #expect(
      try GRPCMessagePrefix.read(at: 6, of: output.span.bytes)
        == GRPCMessagePrefix(isCompressed: false, length: .max))
  }

  @Test func waitsForAWholePrefixAndRefusesOtherFlags() throws {
    let bytes: [UInt8] = [0, 0, 0, 0, 7, 2]
    for offset in [2, 5, 6, 7, -1, .max, .min] {
      #expect(try GRPCMessagePrefix.read(at: offset, of: bytes.span.bytes) == nil)
    }
    #expect(throws: WireFault(.badValue, at: 0)) {
      try GRPCMessagePrefix.read(at: 0, of: hexBytes("0200000000").span.bytes)
    }
  }

  @Test(arguments: [
    ("", ""), ("plain text ~", "plain text ~"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("é\u{7f}", "%C3%A9%7F"),
  ])
  func percentEncodesMessages(_ message: String, _ encoded: String) {
    #expect(GRPCMessageText.encode(message) == [UInt8](encoded.utf8))
    #expect(GRPCMessageText.decode(encoded.utf8) == message)
  }

  @Test func decodesBrokenMessagesAsTheyStand() {
    #expect(GRPCMessageText.decode("%zz%4%".utf8) == "%zz%4%")
    #expect(GRPCMessageText.decode("%c3%a9".utf8) == "é")
    #expect(GRPCMessageText.decode("%ff!".utf8) == "\u{fffd}!")
  }

  /// RFC 4648, section 10, without the padding.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
    ("foobar", "Zm9vYmFy"),
  ])
  func encodesBinaryHeaders(_ value: String, _ encoded: String) {
    #expect(GRPCBinaryHeader.encode([UInt8](value.utf8)) == [UInt8](encoded.utf8))
    #expect(GRPCBinaryHeader.decode([UInt8](encoded.utf8)) == [UInt8](value.utf8))
    let padded = encoded + String(repeating: "=", count: (4 - encoded.count % 4) % 4)
    #expect(GRPCBinaryHeader.decode([UInt8](padded.utf8)) == [UInt8](value.utf8))
  }

  @Test(arguments: ["Z", "Zg=", "Zg===", "Zm9v=", "====", "=", "Zm9vY", "Zm 9v", "Zm9v\n", "Z=g=", "Zg==Zg=="])
  func refusesWhatIsNotBase64(_ encoded: String) {
    #expect(GRPCBinaryHeader.decode([UInt8](encoded.utf8)) == nil)
  }

  @Test func bothAlphabetsGiveEveryByteBack() {
    #expect(GRPCBinaryHeader.decode([UInt8]("-_8+/w".utf8)) == [0xfb, 0xff, 0x3e, 0xff])
    for seed in UInt64(0)..<500 {
      var random = SeededGenerator(seed: seed)
      let value = (0..<Int(random.next() % 70)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let encoded = GRPCBinaryHeader.encode(value)
      #expect(GRPCBinaryHeader.decode(encoded) == value, "seed \(seed)")
      #expect(encoded.count == (value.count * 8 + 5) / 6, "seed \(seed)")
    }
  }
}
