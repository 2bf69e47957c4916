import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing
import TraceWire

@testable import Intake

@Suite struct GRPCTests {
  // MARK: The head

  @Test(arguments: [
    "application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc+proto; v=1",
    "Application/GRPC", "application/grpc ; a=b", "application/grpc+PROTO",
  ]) func contentTypesOfGRPC(_ type: String) {
    let bench = Bench()
    #expect(bench.call(.grpc(type: type), framed([])).response?.grpcStatus == 0)
  }

  @Test(arguments: [
    nil, "", "application/grpc-web", "application/grpc+json", "application/grpc+protobuf", "application/grpcx",
    "application/x-protobuf", "application/json", "application/grp", "text/plain",
  ]) func otherContentTypesAre415(_ type: String?) {
    let bench = Bench()
    let exchange = Exchange(bench.grpc, .grpc(type: type))
    #expect(exchange.response?.status == 415)
    #expect(exchange.response?.grpcStatus == nil)
    #expect(bench.refused.isEmpty)
  }

  @Test(arguments: ["GET", "PUT", "OPTIONS", "HEAD", "post"]) func otherMethodsAre405(_ method: String) {
    let exchange = Exchange(Bench().grpc, .grpc(method: method))
    #expect(exchange.response?.status == 405)
    #expect(exchange.response?.fields.text("allow") == "POST")
  }

  @Test(arguments: [
    "/", "/opentelemetry.proto.collector.trace.v1.TraceService/export",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export/",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export?x=1",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/traces",
  ]) func otherMethodsOfGRPCAreUnimplemented(_ path: String) throws {
    let exchange = Exchange(Bench().grpc, .grpc(path: path))
    let response = try #require(exchange.response)
    #expect(response.status == 200)
    #expect(response.grpcStatus == 12)
    #expect(response.fields.text("content-type") == "application/grpc")
    #expect(response.details == nil)
  }

  // MARK: Framing

  @Test func aMessageSplitAtEveryByteIsTheSame() {
    for count in [0, 1, 7, 40] {
      let message = noise(count)
      let bytes = framed(message)
      for split in 0...bytes.count {
        let bench = Bench()
        let exchange = Exchange(bench.grpc, .grpc())
        exchange.send(bytes[..<split])
        #expect(!exchange.isAnswered)
        exchange.send(bytes[split...])
        #expect(!exchange.isAnswered)
        exchange.finish()
        #expect(exchange.response?.grpcStatus == 0)
        #expect(bench.consumer.bodies == [message])
        #expect(exchange.responder.consumedBytes == bytes.count)
      }
    }
  }

  @Test func byteByByte() {
    let bench = Bench()
    let exchange = Exchange(bench.grpc, .grpc())
    for byte in framed(noise(300)) { exchange.send([byte]) }
    exchange.finish()
    #expect(bench.consumer.bodies == [noise(300)])
  }

  /// Bodies that are no single whole message.
  @Test(arguments: [
    [], [0], [0, 0, 0, 0], [0, 0, 0, 0, 1], framed(noise(9), length: 10), framed(noise(10), length: 9),
    framed([]) + [0], framed([1]) + framed([1]), framed([1], flag: 2), framed([], flag: 255),
  ]) func malformedFraming(_ body: [UInt8]) {
    for step in [1, 3, max(1, body.count)] {
      let bench = Bench()
      let exchange = Exchange(bench.grpc, .grpc())
      var rest = body[...]
      while !rest.isEmpty {
        exchange.send(rest.prefix(step))
        rest = rest.dropFirst(step)
      }
      exchange.finish()
      #expect(exchange.response?.grpcStatus == 3)
      #expect(bench.refused == [.malformed: 1])
      #expect(bench.consumer.requests.isEmpty)
      #expect(bench.budget.used == 0)
    }
  }

  @Test func compressedWithoutEncodingIsInternal() {
    for encoding in [nil, "identity", ""] as [String?] {
      let bench = Bench()
      #expect(bench.call(.grpc(encoding: encoding), framed(noise(3), flag: 1)).response?.grpcStatus == 13)
      #expect(bench.refused == [.malformed: 1])
    }
  }

  @Test func unknownEncodingIsUnimplementedAndToldWhatIsKnown() {
    for encoding in ["br", "snappy", "gzip, zstd", "deflate"] {
      let bench = Bench()
      let exchange = Exchange(bench.grpc, .grpc(encoding: encoding))
      #expect(exchange.response?.grpcStatus == 12)
      #expect(exchange.response?.fields.text("grpc-accept-encoding") == "identity,gzip,zstd")
    }
  }

  @Test(arguments: [ContentCoding.gzip, .zstd]) func compressedMessages(_ coding: ContentCoding) {
    let bench = Bench()
    let small = compressed(noise(900), coding)
    #expect(bench.call(.grpc(encoding: coding.token), framed(small, flag: 1)).response?.grpcStatus == 0)
    // The flag says of each message whether it is compressed.
    #expect(bench.call(.grpc(encoding: coding.token), framed(noise(5))).response?.grpcStatus == 0)
    #expect(bench.consumer.bodies == [noise(900), noise(5)])
    for damaged in [small.dropLast(), small.dropFirst(), [UInt8](repeating: 0, count: 30)[...]] {
      let response = bench.call(.grpc(encoding: coding.token), framed(Array(damaged), flag: 1)).response
      #expect(response?.grpcStatus == 3)
    }
    #expect(bench.refused == [.malformed: 3])
    #expect(bench.budget.used == 0)
  }

  // MARK: Limits

  @Test func theLimitHoldsToTheByte() {
    let bench = Bench(requestBytesMax: 1000)
    #expect(bench.call(.grpc(), framed(noise(1000))).response?.grpcStatus == 0)
    // The announcement alone is enough to refuse, and nothing of the body is taken in.
    let exchange = Exchange(bench.grpc, .grpc())
    exchange.send(framed([], length: 1001))
    #expect(exchange.response?.grpcStatus == 8)
    #expect(exchange.response?.details == nil, "without RetryInfo: it must not be sent again")
    #expect(bench.refused == [.tooLarge: 1])
    let huge = Exchange(bench.grpc, .grpc())
    huge.send([0, 255, 255, 255, 255])
    #expect(huge.response?.grpcStatus == 8)
    #expect(bench.budget.used == 0)
  }

  @Test(arguments: [ContentCoding.gzip, .zstd]) func theLimitHoldsAfterDecompression(_ coding: ContentCoding) {
    let bench = Bench(requestBytesMax: 1000)
    func answer(_ count: Int) -> Response? {
      bench.call(
        .grpc(encoding: coding.token), framed(compressed([UInt8](repeating: 7, count: count), coding), flag: 1)
      ).response
    }
    #expect(answer(1000)?.grpcStatus == 0)
    #expect(answer(1001)?.grpcStatus == 8)
    #expect(answer(1 << 20)?.grpcStatus == 8)
    #expect(bench.refused == [.tooLarge: 2])
  }

  // MARK: Verdicts

  @Test func success() throws {
    let response = try #require(Bench().call(.grpc(), framed(noise(4))).response)
    #expect(response.status == 200)
    #expect(response.fields.text("content-type") == "application/grpc+proto")
    #expect(response.trailers.text("grpc-status") == "0")
    #expect(response.body == [0, 0, 0, 0, 0])
  }

  @Test func partialSuccess() throws {
    let bench = Bench()
    bench.consumer.verdict = .accepted(rejectedSpans: 3, message: "größe")
    let response = try #require(bench.call(.grpc(), framed([])).response)
    #expect(response.grpcStatus == 0)
    #expect(response.export == ExportResponse(rejectedSpans: 3, errorMessage: "größe"))
    #expect(bench.refused.isEmpty)
  }

  @Test func malformedMessage() throws {
    let bench = Bench()
    bench.consumer.verdict = .malformed(WireFault(.badLength, at: 17))
    let response = try #require(bench.call(.grpc(), framed(noise(4))).response)
    #expect(response.grpcStatus == 3)
    #expect(response.fields.text("grpc-message")?.contains("byte 17") == true)
    #expect(bench.refused == [.malformed: 1])
  }

  @Test func overloadHasRetryInfo() throws {
    let bench = Bench()
    bench.consumer.verdict = .overload(retryAfter: .milliseconds(2500))
    let response = try #require(bench.call(.grpc(), framed(noise(4))).response)
    #expect(response.grpcStatus == 14)
    #expect(response.details?.code == .unavailable)
    #expect(response.details?.retryDelay == .milliseconds(2500))
    #expect(bench.refused == [.overload: 1])
  }

  @Test func forbidden() {
    let bench = Bench()
    bench.consumer.verdict = .forbidden("not your region")
    #expect(bench.call(.grpc(), framed(noise(4))).response?.grpcStatus == 7)
    #expect(bench.refused == [.forbidden: 1])
  }

  @Test func withoutRoomTheHeadIsEnough() {
    let bench = Bench()
    bench.consumer.hasRoom = false
    let exchange = Exchange(bench.grpc, .grpc())
    #expect(exchange.response?.grpcStatus == 14)
    #expect(exchange.response?.details?.retryDelay == .milliseconds(1500))
    #expect(bench.refused == [.overload: 1])
  }

  @Test func theConsumerLearnsWhoSent() {
    let bench = Bench()
    let peer = PeerIdentity(address: "192.0.2.7", region: "us-west-2", isAuthenticated: true)
    let exchange = Exchange(bench.grpc, .grpc(), from: peer)
    exchange.send(framed([1]))
    exchange.finish()
    #expect(bench.consumer.requests.map(\.peer) == [peer])
    #expect(bench.consumer.requests.map(\.receiver) == [.otlpGRPC])
  }
}
