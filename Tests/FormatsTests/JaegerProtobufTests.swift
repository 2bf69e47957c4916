import Formats
import TestKit
import Testing
import TraceWire

@Suite("Jaeger protobuf") struct JaegerProtobufTests {
  private let traceID = [UInt8](1...16)
  private let spanID = [UInt8](1...8)

  private func batch(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1, body)
    return writer.bytes
  }

  private func translate(_ body: (inout ProtobufWriter) -> Void) throws -> Translated {
    let bytes = batch(body)
    return try Translated(JaegerProtobuf.translate(bytes.span.bytes))
  }

  private func keyValue(
    _ writer: inout ProtobufWriter, _ field: Int, _ key: String, _ type: UInt64, _ value: AttributeValue
  ) {
    writer.message(field) {
      $0.string(1, key)
      if type != 0 { $0.varint(2, type) }
      switch value {
      case .string(let text): if type == 4 { $0.bytes(7, Array(text.utf8)) } else { $0.string(3, text) }
      case .bool(let flag): $0.bool(4, flag)
      case .int(let number): $0.int(5, number)
      case .double(let number): $0.double(6, number)
      }
    }
  }

  private func reference(_ writer: inout ProtobufWriter, _ trace: [UInt8], _ span: UInt8, _ type: UInt64) {
    writer.message(4) {
      $0.bytes(1, trace)
      $0.bytes(2, [0, 0, 0, 0, 0, 0, 0, span])
      $0.varint(3, type)
    }
  }

  private func whole(_ writer: inout ProtobufWriter) {
    writer.message(1) { span in
      span.bytes(1, traceID)
      span.bytes(2, spanID)
      span.string(3, "get")
      reference(&span, traceID, 9, 0)
      span.varint(5, 3)
      span.message(6) {
        $0.varint(1, 1_700_000_000)
        $0.varint(2, 5)
      }
      span.message(7) {
        $0.varint(1, 2)
        $0.varint(2, 7)
      }
      keyValue(&span, 8, "s", 0, .string("text"))
      keyValue(&span, 8, "b", 1, .bool(true))
      keyValue(&span, 8, "i", 2, .int(-3))
      keyValue(&span, 8, "d", 3, .double(0.5))
      keyValue(&span, 8, "y", 4, .string("ab"))
      keyValue(&span, 8, "span.kind", 0, .string("client"))
      keyValue(&span, 8, "error", 1, .bool(true))
      keyValue(&span, 8, "otel.status_description", 0, .string("why"))
      keyValue(&span, 8, "cloud.region", 0, .string("us"))
      keyValue(&span, 8, "otel.scope.name", 0, .string("lib"))
      span.message(9) { log in
        log.message(1) { $0.varint(1, 3) }
        keyValue(&log, 2, "event", 0, .string("tried"))
        keyValue(&log, 2, "message", 0, .string("again"))
        keyValue(&log, 2, "n", 2, .int(4))
      }
    }
    writer.message(2) { process in
      process.string(1, "shop")
      keyValue(&process, 2, "hostname", 0, .string("h"))
      keyValue(&process, 2, "cloud.region", 0, .string("us"))
      keyValue(&process, 2, "pid", 2, .int(12))
    }
  }

  @Test func everyField() throws {
    let placed = try #require(try translate(whole).placed.first)
    let span = placed.span
    #expect(span.ids == [hex(traceID), hex(spanID), "0000000000000009"])
    #expect(span.name == "get")
    #expect(span.kind == .client)
    #expect(span.flags == 1)
    #expect(span.startTimeUnixNano == 1_700_000_000_000_000_005)
    #expect(span.endTimeUnixNano == 1_700_000_002_000_000_012)
    #expect(span.status.code == .error && span.status.message == "why")
    #expect(span.links.isEmpty)
    #expect(span.tags == ["s": "text", "b": "bool true", "i": "int -3", "d": "double 0.5", "y": "bytes [97, 98]"])
    #expect(span.events.map(\.name) == ["tried"])
    #expect(span.events.map(\.timeUnixNano) == [3_000_000_000])
    #expect(texts(span.events[0].attributes) == ["message": "again", "n": "int 4"])
    #expect(
      placed.resource == ["service.name": "shop", "host.name": "h", "cloud.region": "us", "pid": "int 12"])
    #expect(placed.scope == "lib@")
  }

  @Test func references() throws {
    let other = [UInt8](repeating: 7, count: 16)
    func span(_ references: [(trace: [UInt8], span: UInt8, type: UInt64)]) throws -> Span {
      try translate {
        $0.message(1) { span in
          span.bytes(1, traceID)
          span.bytes(2, spanID)
          for found in references { reference(&span, found.trace, found.span, found.type) }
        }
      }.spans[0]
    }
    // The first CHILD_OF of the same trace, wherever it stands.
    let mixed = try span([(other, 1, 0), (traceID, 2, 1), (traceID, 3, 0), (traceID, 4, 0)])
    #expect(hex(mixed.parentSpanID) == "0000000000000003")
    #expect(mixed.links.map { $0.spanID.last } == [1, 2, 4])
    #expect(mixed.links.map { hex($0.traceID) } == [hex(other), hex(traceID), hex(traceID)])
    #expect(
      mixed.links.map { texts($0.attributes)["opentracing.ref_type"] } == ["child_of", "follows_from", "child_of"])
    // Without one, what it follows, which stays a link.
    let follower = try span([(other, 1, 1), (traceID, 2, 1)])
    #expect(hex(follower.parentSpanID) == "0000000000000002")
    #expect(follower.links.count == 2)
    #expect(try span([(other, 1, 0)]).parentSpanID.isEmpty)
  }

  @Test func aSpansOwnProcessStandsForTheBatchs() throws {
    let result = try translate { batch in
      for name in ["a", "b", "b", "a"] {
        batch.message(1) { span in
          span.string(3, name)
          if name == "b" { span.message(10) { $0.string(1, "own") } }
        }
      }
      batch.message(2) { $0.string(1, "shop") }
    }
    #expect(
      result.placed.map { $0.span.name + ($0.resource["service.name"] ?? "") } == ["ashop", "ashop", "bown", "bown"])
    #expect(result.resourceCount == 2)
  }

  @Test func timesEndWhereNumbersEnd() throws {
    func span(_ seconds: Int64, _ nanoseconds: Int64) throws -> Span {
      try translate {
        $0.message(1) {
          $0.message(6) {
            $0.int(1, seconds)
            $0.int(2, nanoseconds)
          }
          $0.message(7) { $0.int(1, .max) }
        }
      }.spans[0]
    }
    #expect(try span(.max, 0).startTimeUnixNano == .max)
    #expect(try span(.min, 0).startTimeUnixNano == 0)
    #expect(try span(-1, 0).startTimeUnixNano == 0)
    #expect(try span(1, -1).startTimeUnixNano == 999_999_999)
    #expect(try span(1, 0).endTimeUnixNano == .max)
  }

  /// A large process may not be written again and again for spans that each add something to it.
  @Test func aLargeProcessForManyScopesIsRefused() {
    let bytes = batch { batch in
      batch.message(2) { keyValue(&$0, 2, "k", 0, .string(String(repeating: "x", count: 200_000))) }
      for number in 0..<100 {
        batch.message(1) { keyValue(&$0, 8, "otel.scope.name", 0, .string("\(number)")) }
      }
    }
    #expect(fault { () throws(WireFault) in try JaegerProtobuf.translate(bytes.span.bytes) }?.kind == .excessive)
  }

  @Test func everyTruncationIsAFault() {
    let bytes = batch(whole)
    for count in 1..<bytes.count {
      let part = Array(bytes[..<count])
      #expect(fault { () throws(WireFault) in try JaegerProtobuf.translate(part.span.bytes) } != nil, "\(count)")
    }
  }

  @Test func nothingIsAnEmptyRequest() throws {
    #expect(try JaegerProtobuf.translate([UInt8]().span.bytes).isEmpty)
    #expect(try translate { _ in }.placed.isEmpty)
  }
}
