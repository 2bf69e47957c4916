import Formats
import TestKit
import Testing
import TraceWire

@Suite("Jaeger thrift") struct JaegerThriftTests {
  typealias Body = (inout ThriftWriter) -> Void

  private func batch(_ body: Body) -> [UInt8] {
    var writer = ThriftWriter()
    body(&writer)
    writer.bytes.append(0)
    return writer.bytes
  }

  private func found(_ bytes: [UInt8]) -> WireFault? {
    fault { () throws(WireFault) in try JaegerThrift.translate(bytes.span.bytes) }
  }

  private func tag(_ key: String, _ type: Int32, _ value: @escaping Body) -> Body {
    {
      $0.string(1, key)
      $0.i32(2, type)
      value(&$0)
    }
  }

  private func text(_ key: String, _ value: String) -> Body { tag(key, 0) { $0.string(3, value) } }

  private func whole(_ writer: inout ThriftWriter) {
    writer.list(
      2,
      [
        { span in
          span.i64(1, -2)
          span.i64(2, 1)
          span.i64(3, 0x0102_0304_0506_0708)
          span.i64(4, 9)
          span.string(5, "get")
          span.list(
            6,
            [
              {
                $0.i32(1, 0)
                $0.i64(2, -2)
                $0.i64(3, 1)
                $0.i64(4, 9)
              },
              {
                $0.i32(1, 1)
                $0.i64(2, 5)
                $0.i64(3, 6)
                $0.i64(4, 7)
              },
            ])
          span.i32(7, 3)
          span.i64(8, 1_700_000_000_000_000)
          span.i64(9, 25)
          span.list(
            10,
            [
              self.text("s", "text"), self.tag("d", 1) { $0.double(4, 0.5) }, self.tag("b", 2) { $0.bool(5, true) },
              self.tag("i", 3) { $0.i64(6, -3) }, self.tag("y", 4) { $0.string(7, "ab") },
              self.text("span.kind", "server"), self.tag("error", 2) { $0.bool(5, true) },
              self.text("cloud.region", "eu"), self.text("unknown", "x"),
            ])
          span.list(
            11,
            [
              {
                $0.i64(1, 4)
                $0.list(2, [self.text("message", "tried"), self.text("k", "v")])
              }
            ])
        }
      ])
    writer.i64(3, 1)
    writer.structure(1) {
      $0.string(1, "shop")
      $0.list(2, [self.text("hostname", "h")])
    }
  }

  @Test func everyField() throws {
    let bytes = batch(whole)
    let placed = try #require(try Translated(JaegerThrift.translate(bytes.span.bytes)).placed.first)
    let span = placed.span
    #expect(span.ids == ["0000000000000001fffffffffffffffe", "0102030405060708", "0000000000000009"])
    #expect(span.name == "get")
    #expect(span.kind == .server)
    #expect(span.flags == 1)
    #expect(span.startTimeUnixNano == 1_700_000_000_000_000_000)
    #expect(span.endTimeUnixNano == 1_700_000_000_000_025_000)
    #expect(span.status.code == .error)
    #expect(
      span.tags == [
        "s": "text", "b": "bool true", "i": "int -3", "d": "double 0.5", "y": "bytes [97, 98]", "unknown": "x",
      ])
    #expect(span.links.map { hex($0.traceID) + hex($0.spanID) } == ["000000000000000600000000000000050000000000000007"])
    #expect(span.events.map(\.name) == ["tried"])
    #expect(span.events.map(\.timeUnixNano) == [4000])
    #expect(texts(span.events[0].attributes) == ["k": "v"])
    #expect(placed.resource == ["service.name": "shop", "host.name": "h", "cloud.region": "eu"])
  }

  @Test func the64BitTraceIDIsPadded() throws {
    let bytes = batch { $0.list(2, [{ $0.i64(1, 5) }]) }
    #expect(
      try Translated(JaegerThrift.translate(bytes.span.bytes)).spans.map { $0.ids[0] } == [
        "00000000000000000000000000000005"
      ])
  }

  @Test func everyTruncationIsAFault() {
    let bytes = batch(whole)
    for count in 0..<bytes.count { #expect(found(Array(bytes[..<count])) != nil, "\(count)") }
    #expect(found(bytes) == nil)
    #expect(found(bytes + [0]) == WireFault(.badValue, at: bytes.count))
  }

  /// A length is a peer's word.
  @Test func lengthsPastTheEnd() {
    for count in [Int32.max, -1, 1000] {
      let list = batch {
        $0.bytes += [15, 0, 2, 12]
        $0.word(count)
      }
      #expect(found(list)?.kind == .badLength)
      let string = batch {
        $0.bytes += [11, 0, 9]
        $0.word(count)
      }
      #expect(found(string)?.kind == .badLength)
    }
  }

  @Test func unknownFieldsOfEveryTypeAreSkipped() throws {
    let bytes = batch {
      $0.bytes += [2, 0, 20, 1, 3, 0, 21, 1, 6, 0, 22, 1, 2, 8, 0, 23, 1, 2, 3, 4]
      $0.double(24, 1)
      $0.bytes += [13, 0, 25, 11, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 1]
      $0.bytes += [14, 0, 26, 3, 0, 0, 0, 2, 1, 2]
      $0.structure(27) { $0.list(1, [{ $0.bool(1, true) }]) }
      $0.list(2, [{ $0.string(5, "still read") }])
    }
    #expect(try Translated(JaegerThrift.translate(bytes.span.bytes)).spans.map(\.name) == ["still read"])
    #expect(found([1, 0, 1, 0])?.kind == .badWireType)
    #expect(found([15, 0, 9, 77, 0, 0, 0, 1, 0, 0])?.kind == .badWireType)
    #expect(found([15, 0, 2, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0])?.kind == .badWireType)
  }

  @Test func nestingEnds() {
    func nested(_ depth: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      for _ in 0..<depth { bytes += [12, 0, 9] }
      return bytes + [UInt8](repeating: 0, count: depth + 1)
    }
    #expect(found(nested(100)) == nil)
    #expect(found(nested(101))?.kind == .tooDeep)
    #expect(found(nested(1_000_000))?.kind == .tooDeep)
  }
}
