import TestKit
import Testing
import TraceWire

/// Bytes as another program printed them in hex.
func hexBytes(_ text: String) -> [UInt8] {
  let digits = text.compactMap { $0.hexDigitValue }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite("google.rpc.Status") struct RPCStatusTests {
  /// Python googleapis-common-protos: Status(code=14, "try later é", details=[DebugInfo, RetryInfo(1.5 s)]).
  private let unavailable = hexBytes(
    """
    080e120c747279206c6174657220c3a91a2f0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e4465627567\
    496e666f12031201781a360a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f120a0a\
    0808011080cab5ee01
    """)
  /// The same program: Status(code=8, "q", details=[RetryInfo(7 ns)]).
  private let exhausted = hexBytes(
    """
    08081201711a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f12040a021007
    """)

  @Test func readsWhatPythonWrote() throws {
    #expect(
      try RPCStatus(protobuf: unavailable.span.bytes)
        == RPCStatus(code: .unavailable, message: "try later é", retryDelay: .milliseconds(1500)))
    #expect(
      try RPCStatus(protobuf: exhausted.span.bytes)
        == RPCStatus(code: .resourceExhausted, message: "q", retryDelay: .nanoseconds(7)))
  }

  @Test func writesWhatPythonWrites() {
    let status = RPCStatus(code: .resourceExhausted, message: "q", retryDelay: .nanoseconds(7))
    #expect(status.protobuf == exhausted)
    let json = String(decoding: status.json, as: UTF8.self)
    #expect(
      json == #"{"code":8,"message":"q","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","#
        + #""retryDelay":"0.000000007s"}]}"#)
  }

  @Test func writesJSONThatNeedsEscapes() {
    let json = RPCStatus(code: .invalidArgument, message: "a\"b\\c\n\u{1f}\u{7f}é").json
    #expect(String(decoding: json, as: UTF8.self) == #"{"code":3,"message":"a\"b\\c\u000a\u001f\u007fé"}"#)
    let delayed = RPCStatus(code: .unavailable, message: "", retryDelay: .milliseconds(1500)).json
    #expect(String(decoding: delayed, as: UTF8.self).hasSuffix(#""retryDelay":"1.500s"}]}"#))
  }

  @Test(arguments: [
    Duration.zero, .seconds(5), .nanoseconds(1), .seconds(315_576_000_000), .milliseconds(1_234_567),
  ])
  func keepsDelays(_ delay: Duration) throws {
    let status = RPCStatus(code: .unavailable, message: "busy", retryDelay: delay)
    #expect(try RPCStatus(protobuf: status.protobuf.span.bytes) == status)
  }

  @Test func clampsDelays() throws {
    func delay(of written: Duration) throws -> Duration? {
      let bytes = RPCStatus(code: .unavailable, message: "", retryDelay: written).protobuf
      return try RPCStatus(protobuf: bytes.span.bytes).retryDelay
    }
    #expect(try delay(of: .seconds(-5)) == .zero)
    #expect(try delay(of: .seconds(Int64.max)) == .seconds(315_576_000_000))
    for (seconds, nanoseconds) in [(Int64.min, Int64.min), (-1, 5), (Int64.max, Int64.max), (1, 2_000_000_000)] {
      var writer = ProtobufWriter()
      writer.message(3) { any in
        any.string(1, "x/google.rpc.RetryInfo")
        any.message(2) { info in
          info.message(1) { duration in
            duration.int(1, seconds)
            duration.int(2, nanoseconds)
          }
        }
      }
      let delay = try RPCStatus(protobuf: writer.bytes.span.bytes).retryDelay
      #expect(delay ?? .seconds(-1) >= .zero)
    }
  }

  @Test func readsUnknownCodesAsUnknown() throws {
    for code in [Int64(17), -1, .max, .min] {
      var writer = ProtobufWriter()
      writer.int(1, code)
      #expect(try RPCStatus(protobuf: writer.bytes.span.bytes).code == .unknown)
    }
  }

  @Test func survivesTruncationAndMutation() {
    for end in 0..<unavailable.count { _ = try? RPCStatus(protobuf: [UInt8](unavailable[..<end]).span.bytes) }
    #expect(throws: WireFault.self) {
      try RPCStatus(protobuf: [UInt8](unavailable.dropLast()).span.bytes)
    }
    for seed in UInt64(0)..<20_000 {
      var random = SeededGenerator(seed: seed)
      var bytes = seed % 2 == 0 ? unavailable : exhausted
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = try? RPCStatus(protobuf: bytes.span.bytes)
      _ = try? ExportResponse(protobuf: bytes.span.bytes)
    }
  }
}

@Suite("export response") struct ExportResponseTests {
  /// Python opentelemetry-proto: partial_success(rejected_spans=3, error_message='bad "ids"').
  private let partial = hexBytes("0a0d08031209626164202269647322")

  @Test func writesAndReadsWhatPythonWrites() throws {
    let response = ExportResponse(rejectedSpans: 3, errorMessage: "bad \"ids\"")
    #expect(response.protobuf == partial)
    #expect(try ExportResponse(protobuf: partial.span.bytes) == response)
    #expect(
      String(decoding: response.json, as: UTF8.self)
        == #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad \"ids\""}}"#)
  }

  @Test func fullSuccessIsEmpty() throws {
    #expect(ExportResponse().protobuf == [])
    #expect(ExportResponse().json == [UInt8]("{}".utf8))
    #expect(try ExportResponse(protobuf: [UInt8]().span.bytes) == ExportResponse())
    #expect(try ExportResponse(protobuf: hexBytes("0a00").span.bytes) == ExportResponse())
  }

  @Test func warningHasNoCount() {
    let warning = ExportResponse(errorMessage: "slow down")
    #expect(warning.protobuf == [0x0a, 0x0b, 0x12, 0x09] + "slow down".utf8)
    #expect(String(decoding: warning.json, as: UTF8.self) == #"{"partialSuccess":{"errorMessage":"slow down"}}"#)
    #expect(
      String(decoding: ExportResponse(rejectedSpans: 1).json, as: UTF8.self)
        == #"{"partialSuccess":{"rejectedSpans":"1"}}"#)
  }

  @Test func negativeCountsAreZeroAndUnknownFieldsPass() throws {
    var writer = ProtobufWriter()
    writer.string(9, "unknown")
    writer.message(1) {
      $0.int(1, -4)
      $0.fixed32(7, 1)
    }
    #expect(try ExportResponse(protobuf: writer.bytes.span.bytes) == ExportResponse())
  }
}
