import Formats
import TestKit
import Testing
import TraceWire

@Suite("Zipkin v2 protobuf") struct ZipkinProtobufTests {
  private func message(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1, body)
    return writer.bytes
  }

  private func one(_ body: (inout ProtobufWriter) -> Void) throws -> Translated.Placed {
    let bytes = message(body)
    return try #require(try Translated(ZipkinProtobuf.translate(bytes.span.bytes)).placed.first)
  }

  private func whole(_ writer: inout ProtobufWriter) {
    writer.bytes(1, [0x5a, 0xf7, 0x18, 0x3f, 0xb1, 0xd4, 0xcf, 0x5f])
    writer.bytes(2, [0, 0, 0, 0, 0, 0, 0, 7])
    writer.bytes(3, [0x35, 0x2b, 0xff, 0x9a, 0x74, 0xca, 0x9a, 0xd2])
    writer.varint(4, 1)
    writer.string(5, "get /api")
    writer.fixed64(6, 1_556_604_172_355_737)
    writer.varint(7, 1431)
    writer.message(8) {
      $0.string(1, "backend")
      $0.bytes(2, [192, 168, 99, 1])
      $0.int(4, 3306)
    }
    writer.message(9) {
      $0.string(1, "db")
      $0.bytes(3, [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
      $0.int(4, 5432)
    }
    writer.message(10) {
      $0.fixed64(1, 1_556_604_172_355_800)
      $0.string(2, "ws")
    }
    writer.message(11) {
      $0.string(1, "http.method")
      $0.string(2, "GET")
    }
    writer.message(11) {
      $0.string(1, "error")
      $0.string(2, "late")
    }
    writer.bool(12, true)
  }

  @Test func everyField() throws {
    let placed = try one(whole)
    let span = placed.span
    #expect(span.ids == ["00000000000000005af7183fb1d4cf5f", "352bff9a74ca9ad2", "0000000000000007"])
    #expect(span.kind == .client)
    #expect(span.name == "get /api")
    #expect(span.startTimeUnixNano == 1_556_604_172_355_737_000)
    #expect(span.endTimeUnixNano == 1_556_604_172_357_168_000)
    #expect(span.events.map(\.name) == ["ws"])
    #expect(span.events.map(\.timeUnixNano) == [1_556_604_172_355_800_000])
    #expect(span.status.code == .error)
    #expect(span.status.message == "late")
    #expect(span.flags == 1)
    #expect(placed.resource == ["service.name": "backend"])
    #expect(
      span.tags == [
        "http.method": "GET", "network.local.address": "192.168.99.1", "network.local.port": "int 3306",
        "peer.service": "db", "server.address": "2001:db8::1", "server.port": "int 5432",
      ])
  }

  @Test func sharedSpansAreSplitAsInJSON() throws {
    let json = [UInt8](
      #"[{"traceId":"7","id":"b","kind":"SERVER","shared":true,"localEndpoint":{"serviceName":"s"}}]"#.utf8)
    let wanted = try Translated(ZipkinJSON.translate(json.span.bytes)).spans[0]
    let span = try one {
      $0.bytes(1, [7])
      $0.bytes(3, [0, 0, 0, 0, 0, 0, 0, 0xb])
      $0.varint(4, 2)
      $0.message(8) { $0.string(1, "s") }
      $0.bool(13, true)
    }.span
    #expect(span == wanted)
  }

  @Test(arguments: [
    ("00000000000000000000000000000000", "::"), ("00000000000000000000000000000001", "::1"),
    ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"), ("20010db8000000000000000000000000", "2001:db8::"),
    ("20010db8000100010001000100010001", "2001:db8:1:1:1:1:1:1"),
    ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"), ("000000000000000000000000c0a80001", "::c0a8:1"),
    ("00010000000000000000000000000000", "1::"),
  ]) func addresses(_ digits: String, _ text: String) throws {
    let bytes = stride(from: 0, to: 32, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
    #expect(try one { $0.message(8) { $0.bytes(3, bytes) } }.span.tags["network.local.address"] == text)
  }

  @Test func idsOfOtherSizesAreNoIDs() throws {
    let span = try one {
      $0.bytes(1, [UInt8](repeating: 1, count: 17))
      $0.bytes(3, [UInt8](repeating: 1, count: 9))
    }.span
    #expect(span.ids == ["", "", ""])
  }

  @Test func textThatIsNotUTF8IsMended() throws {
    #expect(try one { $0.bytes(5, [0x61, 0xff, 0xc3, 0xbc]) }.span.name == "a\u{fffd}ü")
  }

  @Test func everyTruncationIsAFaultOrAPrefix() throws {
    let bytes = message(whole)
    for count in 1..<bytes.count {
      let part = Array(bytes[..<count])
      #expect(fault { () throws(WireFault) in try ZipkinProtobuf.translate(part.span.bytes) } != nil, "\(count)")
    }
  }

  @Test func groupsAreSkippedAsDeepAsTheyMayBe() {
    func nested(_ depth: Int) -> [UInt8] {
      var body: [UInt8] = []
      for _ in 0..<depth { body.appendTag(20, 3) }
      for _ in 0..<depth { body.appendTag(20, 4) }
      return message { $0.bytes += body }
    }
    let (good, bad) = (nested(98), nested(10_000))
    #expect(fault { () throws(WireFault) in try ZipkinProtobuf.translate(good.span.bytes) } == nil)
    #expect(fault { () throws(WireFault) in try ZipkinProtobuf.translate(bad.span.bytes) }?.kind == .tooDeep)
  }
}
