import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing
import TraceWire

@testable import Intake

/// What the receivers of other formats have of their own: paths, content types, plain answers.
@Suite struct FormatServiceTests {
  private func head(
    _ path: String, _ type: String?, method: String = "POST", encoding: String? = nil, length: Int? = nil
  ) -> RequestHead { .http(method: method, path: path, type: type, encoding: encoding, length: length) }

  private let zipkinSpan = Array(#"[{"traceId":"1","id":"2","name":"a"}]"#.utf8)

  @Test(
    arguments: [
      ("/api/v2/spans", "application/json"), ("/api/v2/spans", "application/json; charset=utf-8"),
      ("/api/v2/spans?x=1", nil), ("/api/v1/spans", "application/json"),
    ] as [(String, String?)]) func zipkinJSONIsTakenAndAnsweredPlainly(_ path: String, _ type: String?) throws
  {
    let bench = Bench(.zipkin)
    let response = try #require(bench.post(head(path, type), zipkinSpan).response)
    #expect(response.status == 202)
    #expect(response.body.isEmpty)
    #expect(bench.consumer.requests.map(\.receiver) == [.zipkin])
    var facts = RequestFacts()
    let body = bench.consumer.bodies[0]
    try facts.walk(body.span.bytes, keys: AttributeKeys())
    #expect(facts.spans.map(\.spanID) == [SpanID(2)])
  }

  @Test func zipkinProtobufIsAnotherContentType() throws {
    let bench = Bench(.zipkin)
    var writer = ProtobufWriter()
    writer.message(1) { $0.bytes(3, [0, 0, 0, 0, 0, 0, 0, 2]) }
    #expect(bench.post(head("/api/v2/spans", "application/x-protobuf"), writer.bytes).response?.status == 202)
    #expect(bench.post(head("/api/v1/spans", "application/x-protobuf"), writer.bytes).response?.status == 415)
    #expect(bench.consumer.bodies.count == 1)
  }

  @Test(arguments: ["application/x-thrift", "application/vnd.apache.thrift.binary"])
  func jaegerThrift(_ type: String) {
    let bench = Bench(.jaegerThrift)
    #expect(bench.post(head("/api/traces?format=jaeger.thrift", type), [0]).response?.status == 202)
    #expect(bench.consumer.requests.map(\.receiver) == [.jaegerThriftHTTP])
    #expect(bench.post(head("/api/traces", "application/json"), [0]).response?.status == 415)
    #expect(bench.post(head("/api/traces", type), [1]).response?.status == 400)
    #expect(bench.refused == [.malformed: 1])
  }

  @Test func compressedBodies() {
    let bench = Bench(.zipkin)
    let packed = compressed(zipkinSpan, .gzip)
    #expect(bench.post(head("/api/v2/spans", "application/json", encoding: "gzip"), packed).response?.status == 202)
    #expect(bench.consumer.bodies.count == 1)
  }

  @Test func refusalsAreSentences() throws {
    let bench = Bench(.zipkin, requestBytesMax: 100)
    let json = "application/json"
    let bad = try #require(bench.post(head("/api/v2/spans", json), Array("[{".utf8)).response)
    #expect(bad.status == 400)
    #expect(bad.fields.text("content-type") == "text/plain; charset=utf-8")
    #expect(bad.text.contains("byte 2"))
    #expect(bench.post(head("/api/v2/spans", json), [UInt8](repeating: 0x20, count: 101)).response?.status == 413)
    #expect(Exchange(bench.http, head("/api/v2/spans", json, length: 101)).response?.status == 413)
    #expect(Exchange(bench.http, head("/api/v2/spans", "text/plain")).response?.status == 415)
    #expect(Exchange(bench.http, head("/v1/traces", json)).response?.status == 404)
    #expect(Exchange(bench.http, head("/api/v2/spans", json, method: "GET")).response?.status == 405)
    #expect(bench.refused == [.malformed: 1, .tooLarge: 2])
    bench.consumer.hasRoom = false
    let full = try #require(Exchange(bench.http, head("/api/v2/spans", json)).response)
    #expect(full.status == 503)
    #expect(full.fields.text("retry-after") == "2")
  }

  /// A translation is charged for before it is made.
  @Test func translationNeedsRoom() {
    let bench = Bench(.zipkin, requestBytesMax: 10_000, budgetBytes: 8_000)
    let spaces = [UInt8](repeating: 0x20, count: 3000) + zipkinSpan
    #expect(bench.post(head("/api/v2/spans", "application/json"), spaces).response?.status == 503)
    #expect(bench.budget.used == 0)
  }

  // MARK: gRPC

  private func called(_ methods: [GRPCMethod], _ method: GRPCMethod, _ message: [UInt8]) -> (Bench, Exchange) {
    let bench = Bench(methods: methods)
    let exchange = Exchange(bench.grpc, .grpc(path: method.path))
    var framed: [UInt8] = []
    GRPCMessagePrefix(isCompressed: false, length: UInt32(message.count)).append(to: &framed)
    exchange.send(framed + message)
    exchange.finish()
    return (bench, exchange)
  }

  @Test func jaegersPostSpans() throws {
    var writer = ProtobufWriter()
    writer.message(1) { $0.message(1) { $0.bytes(2, [0, 0, 0, 0, 0, 0, 0, 2]) } }
    let (bench, exchange) = called([.jaegerPostSpans], .jaegerPostSpans, writer.bytes)
    #expect(exchange.response?.trailers.text("grpc-status") == "0")
    #expect(bench.consumer.requests.map(\.receiver) == [.jaegerGRPC])
    var facts = RequestFacts()
    let body = bench.consumer.bodies[0]
    try facts.walk(body.span.bytes, keys: AttributeKeys())
    #expect(facts.spans.map(\.spanID) == [SpanID(2)])
    let (_, bad) = called([.jaegerPostSpans], .jaegerPostSpans, [0x0a, 5])
    #expect(bad.response?.fields.text("grpc-status") == "3")
    let (_, other) = called([.jaegerPostSpans], .otlpExport, [])
    #expect(other.response?.fields.text("grpc-status") == "12")
  }

  @Test func theSamplingStrategyByGRPC() throws {
    let (bench, exchange) = called([.jaegerSamplingStrategy], .jaegerSamplingStrategy, [])
    let response = try #require(exchange.response)
    #expect(response.trailers.text("grpc-status") == "0")
    // probabilisticSampling { samplingRate: 0.25 }
    #expect(Array(response.body.dropFirst(5)) == [0x12, 9, 9, 0, 0, 0, 0, 0, 0, 0xd0, 0x3f])
    #expect(bench.consumer.bodies.isEmpty)
  }

  @Test func theSamplingStrategyByHTTP() throws {
    let service = SamplingHTTPService(Bench().http.context)
    let answered = try #require(Exchange(service, head("/sampling?service=shop", nil, method: "GET")).response)
    #expect(answered.status == 200)
    #expect(answered.fields.text("content-type") == "application/json")
    #expect(
      answered.text == #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25}}"#)
    #expect(Exchange(service, head("/sampling", nil, method: "GET")).response?.status == 400)
    #expect(Exchange(service, head("/sampling?service=a&service=b", nil, method: "GET")).response?.status == 400)
    #expect(Exchange(service, head("/sampling?service=a", nil)).response?.status == 405)
    #expect(Exchange(service, head("/", nil, method: "GET")).response?.status == 404)
  }
}
