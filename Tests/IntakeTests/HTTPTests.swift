import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing
import TraceWire

@testable import Intake

@Suite struct HTTPTests {
  // MARK: The head

  @Test(arguments: ["/", "/v1/trace", "/v1/traces/", "/v1/metrics", "/V1/traces", "*", "/v1/tracesx?", ""])
  func otherPathsAre404(_ path: String) {
    let bench = Bench()
    #expect(Exchange(bench.http, .http(path: path)).response?.status == 404)
    // The path is looked at first: what is wrong besides does not matter.
    #expect(Exchange(bench.http, .http(method: "GET", path: path, type: nil)).response?.status == 404)
    #expect(bench.refused.isEmpty)
  }

  @Test(arguments: ["/v1/traces", "/v1/traces?", "/v1/traces?tenant=a"]) func pathsOfTraces(_ path: String) {
    #expect(Bench().post(.http(path: path), []).response?.status == 200)
  }

  @Test(arguments: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "post"]) func otherMethodsAre405(_ method: String) {
    let exchange = Exchange(Bench().http, .http(method: method))
    #expect(exchange.response?.status == 405)
    #expect(exchange.response?.fields.text("allow") == "POST")
  }

  @Test(arguments: [
    ("application/x-protobuf", "application/x-protobuf"), ("application/json", "application/json"),
    ("application/json; charset=utf-8", "application/json"), ("Application/JSON", "application/json"),
    ("application/x-protobuf ;v=1", "application/x-protobuf"),
  ]) func theAnswerIsInTheTypeOfTheRequest(_ type: String, _ answered: String) throws {
    let bench = Bench()
    let json = answered == "application/json"
    let good = try #require(bench.post(.http(type: type), json ? Array("{}".utf8) : []).response)
    #expect(good.status == 200)
    #expect(good.fields.text("content-type") == answered)
    #expect(good.text == (json ? "{}" : ""))
    bench.consumer.verdict = .malformed(WireFault(.truncated, at: 3))
    let bad = try #require(bench.post(.http(type: type), json ? Array("{}".utf8) : []).response)
    #expect(bad.status == 400)
    #expect(bad.fields.text("content-type") == answered)
    if json {
      #expect(bad.text.contains("\"code\":3") && bad.text.contains("byte 3"))
    } else {
      #expect(try RPCStatus(protobuf: bad.body.span.bytes).code == .invalidArgument)
    }
  }

  @Test(arguments: [nil, "", "text/plain", "application/protobuf", "application/grpc", "application/jsonx"])
  func otherContentTypesAre415(_ type: String?) {
    let exchange = Exchange(Bench().http, .http(type: type))
    #expect(exchange.response?.status == 415)
    #expect(exchange.response?.fields.text("content-type") == "text/plain; charset=utf-8")
  }

  @Test(arguments: ["br", "deflate", "gzip, gzip"]) func unknownCodingsAre415(_ coding: String) {
    #expect(Exchange(Bench().http, .http(encoding: coding)).response?.status == 415)
  }

  // MARK: The body

  @Test func aBodySplitAtEveryByteIsTheSame() {
    let body = noise(60)
    for split in 0...body.count {
      for length in [nil, body.count] {
        let bench = Bench()
        let exchange = Exchange(bench.http, .http(length: length))
        exchange.send(body[..<split])
        exchange.send(body[split...])
        #expect(!exchange.isAnswered)
        exchange.finish()
        #expect(exchange.response?.status == 200)
        #expect(bench.consumer.bodies == [body])
        #expect(bench.consumer.requests.map(\.receiver) == [.otlpHTTP])
      }
    }
  }

  @Test(arguments: [ContentCoding.identity, .gzip, .zstd]) func codings(_ coding: ContentCoding) {
    let bench = Bench()
    let body = coding == .identity ? noise(700) : compressed(noise(700), coding)
    #expect(bench.post(.http(encoding: coding.token), body).response?.status == 200)
    #expect(bench.consumer.bodies == [noise(700)])
    guard coding != .identity else { return }
    for damaged in [body.dropLast(), body.dropFirst(), []] as [ArraySlice<UInt8>] {
      let response = bench.post(.http(encoding: coding.token), Array(damaged)).response
      #expect(response?.status == 400)
      #expect(response?.fields.text("content-type") == "application/x-protobuf")
    }
    #expect(bench.refused == [.malformed: 3])
  }

  @Test func jsonBecomesProtobuf() throws {
    let bench = Bench()
    let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}"#
    #expect(bench.post(.http(type: "application/json"), Array(json.utf8)).response?.status == 200)
    #expect(bench.consumer.bodies == [try OTLPJSON.translate(Array(json.utf8))])
    for bad in ["", "{", "[]", "{\"resourceSpans\":7}", "{} {}"] {
      let response = try #require(bench.post(.http(type: "application/json"), Array(bad.utf8)).response)
      #expect(response.status == 400, "\(bad)")
      #expect(response.text.contains("\"code\":3"))
    }
    #expect(bench.refused == [.malformed: 5])
    #expect(bench.budget.used == 0)
  }

  // MARK: Limits

  @Test func theLimitHoldsToTheByte() {
    let bench = Bench(requestBytesMax: 1000)
    #expect(bench.post(.http(length: 1000), noise(1000)).response?.status == 200)
    #expect(bench.post(.http(), noise(1000)).response?.status == 200)
    #expect(Exchange(bench.http, .http(length: 1001)).response?.status == 413)
    let chunked = Exchange(bench.http, .http())
    chunked.send(noise(1000))
    #expect(!chunked.isAnswered)
    chunked.send([1])
    #expect(chunked.response?.status == 413)
    #expect(Exchange(bench.http, .http(length: .max)).response?.status == 413)
    #expect(bench.refused == [.tooLarge: 3])
    #expect(bench.budget.used == 0)
  }

  @Test(arguments: [ContentCoding.gzip, .zstd]) func theLimitHoldsAfterDecompression(_ coding: ContentCoding) throws {
    let bench = Bench(requestBytesMax: 1000)
    func answer(_ count: Int) -> Response? {
      bench.post(.http(encoding: coding.token), compressed([UInt8](repeating: 7, count: count), coding)).response
    }
    #expect(answer(1000)?.status == 200)
    let over = try #require(answer(1001))
    #expect(over.status == 413)
    #expect(try RPCStatus(protobuf: over.body.span.bytes).code == .resourceExhausted)
    #expect(bench.refused == [.tooLarge: 1])
  }

  // MARK: Verdicts

  @Test func partialSuccess() throws {
    let bench = Bench()
    bench.consumer.verdict = .accepted(rejectedSpans: 2, message: "two")
    let protobuf = try #require(bench.post(.http(), []).response)
    #expect(protobuf.status == 200)
    #expect(
      try ExportResponse(protobuf: protobuf.body.span.bytes) == ExportResponse(rejectedSpans: 2, errorMessage: "two"))
    let json = try #require(bench.post(.http(type: "application/json"), Array("{}".utf8)).response)
    #expect(json.text == #"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"two"}}"#)
  }

  @Test(arguments: [
    (Duration.zero, "1"), (.milliseconds(1), "1"), (.seconds(1), "1"), (.milliseconds(1001), "2"), (.seconds(30), "30"),
  ]) func overloadSaysWhenToComeBack(_ delay: Duration, _ seconds: String) {
    let bench = Bench()
    bench.consumer.verdict = .overload(retryAfter: delay)
    let response = bench.post(.http(), []).response
    #expect(response?.status == 503)
    #expect(response?.fields.text("retry-after") == seconds)
    #expect(bench.refused == [.overload: 1])
  }

  @Test func withoutRoomTheHeadIsEnough() {
    let bench = Bench()
    bench.consumer.hasRoom = false
    let exchange = Exchange(bench.http, .http())
    #expect(exchange.response?.status == 503)
    #expect(exchange.response?.fields.text("retry-after") == "2")
    #expect(bench.refused == [.overload: 1])
    // What can never succeed is told so all the same.
    #expect(Exchange(bench.http, .http(length: 1001)).response?.status == 413)
  }

  @Test func forbidden() {
    let bench = Bench()
    bench.consumer.verdict = .forbidden("not your region")
    #expect(bench.post(.http(), []).response?.status == 403)
    #expect(bench.refused == [.forbidden: 1])
  }
}
