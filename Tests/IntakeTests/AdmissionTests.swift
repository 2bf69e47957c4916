import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing
import TraceWire

@testable import Intake

/// What a request will take is refused or charged for before it is taken.
@Suite struct AdmissionTests {
  /// So many spans, each of these bytes, in one scope.
  private static func request(_ count: Int, span: [UInt8]) -> [UInt8] {
    let one: [UInt8] = [0x12, UInt8(span.count)] + span
    let spans = [[UInt8]](repeating: one, count: count).flatMap(\.self)
    return field(0x0a, field(0x12, spans))
  }

  private static func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    var bytes = [tag]
    var length = content.count
    while length > 0x7f {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + content
  }

  private static let span: [UInt8] =
    [0x0a, 16] + [UInt8](repeating: 7, count: 16) + [0x12, 8] + [UInt8](repeating: 7, count: 8)

  @Test func emptySpansWithoutNumberAreTooLarge() {
    let bench = Bench(requestBytesMax: 1 << 20, budgetBytes: 1 << 30)
    let body = Self.request(100_000, span: [])
    let post = bench.post(.http(), body)
    #expect(post.response?.status == 413)
    #expect(post.response?.fields["retry-after"] == nil)
    let call = bench.call(.grpc(encoding: "gzip"), framed(compressed(body, .gzip), flag: 1))
    #expect(call.response?.grpcStatus == 8)
    #expect(call.response?.details == nil, "it is of no use to try again")
    #expect(bench.consumer.requests.isEmpty)
    #expect(bench.refused == [.tooLarge: 2])
    #expect(bench.budget.used == 0)
    #expect(bench.post(.http(), Self.request(1000, span: [])).response?.status == 200)
  }

  /// Facts are charged for while the consumer looks at a request; where there is no room for them it may come again.
  @Test func factsAreChargedFor() {
    let bench = Bench(requestBytesMax: 1 << 20, budgetBytes: 8 << 20)
    bench.consumer.verdict = nil
    let body = Self.request(10_000, span: Self.span)
    let post = bench.post(.http(), body)
    #expect(!post.isAnswered)
    #expect(bench.consumer.requests.first?.census?.spans == 10_000)
    #expect(bench.budget.used >= body.count + 10_000 * MemoryLayout<SpanFacts>.stride)
    let second = bench.call(.grpc(), framed(Self.request(30_000, span: Self.span)))
    #expect(second.response?.grpcStatus == 14)
    #expect(second.response?.details?.retryDelay != nil)
    #expect(bench.refused == [.overload: 1])
    bench.consumer.answer(.accepted)
    #expect(post.response?.status == 200)
    #expect(bench.budget.used == 0)
  }

  @Test func structureIsCheckedBeforeAnythingIsCharged() {
    let bench = Bench(requestBytesMax: 1 << 20)
    let body = Self.request(10_000, span: Self.span).dropLast()
    #expect(bench.post(.http(), Array(body)).response?.status == 400)
    #expect(bench.refused == [.malformed: 1])
    #expect(bench.budget.used == 0)
  }

  /// What a bomb would come to is charged for before it is made.
  @Test(arguments: [ContentCoding.gzip, .zstd]) func decompressionIsChargedFor(_ coding: ContentCoding) {
    let bench = Bench(requestBytesMax: 16 << 20, budgetBytes: 1 << 20)
    let bomb = compressed([UInt8](repeating: 0, count: 8 << 20), coding)
    let post = bench.post(.http(encoding: coding.token), bomb)
    #expect(post.response?.status == 503)
    #expect(bench.budget.peak <= 1 << 20)
    #expect(bench.refused == [.overload: 1])
    #expect(bench.budget.used == 0)
    let small = compressed(Self.request(10, span: Self.span), coding)
    #expect(bench.post(.http(encoding: coding.token), small).response?.status == 200)
  }

  @Test(arguments: [
    "http://example.com/v1/traces", "HTTPS://example.com:4318/v1/traces?a=b", "http://[::1]:80/v1/traces",
    "http:///v1/traces",
  ]) func wholeURIsAreTargetsToo(_ target: String) {
    let bench = Bench()
    #expect(bench.post(.http(path: target), []).response?.status == 200)
  }

  @Test(arguments: [
    "http://example.com", "http://example.com/", "http://example.com?/v1/traces", "ftp://example.com/v1/traces",
    "http:/v1/traces", "http://example.com/v1/traces/", "example.com/v1/traces",
  ]) func otherURIsAre404(_ target: String) {
    let bench = Bench()
    #expect(bench.post(.http(path: target), []).response?.status == 404)
  }

  @Test func aLengthThatNoNumberHoldsIsTooLarge() {
    let bench = Bench()
    var head = RequestHead.http()
    head.fields.append("content-length", "9223372036854775808")
    #expect(Exchange(bench.http, head).response?.status == 413)
    #expect(bench.refused == [.tooLarge: 1])
  }
}
