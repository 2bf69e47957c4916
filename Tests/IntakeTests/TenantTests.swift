import Delivery
import HTTP2Engine
import Synchronization
import Telemetry
import Tenancy
import Testing
import TraceWire

@testable import Intake

/// Whose spans a request brings, as its header says.
@Suite struct TenantTests {
  private let time = Clock()

  private final class Clock: Sendable {
    let nanoseconds = Atomic<UInt64>(1)
  }

  private static func tenants(_ rules: TenantRules, _ time: Clock) -> Tenants {
    Tenants(rules, key: .random()) { time.nanoseconds.load(ordering: .relaxed) }
  }

  private func bench(
    _ endpoint: HTTPEndpoint = .otlp, _ rules: TenantRules = TenantRules(), methods: [GRPCMethod] = [.otlpExport]
  ) -> Bench {
    let bench = Bench(endpoint, methods: methods)
    bench.http.context.tenants = Self.tenants(rules, time)
    bench.grpc.context.tenants = bench.http.context.tenants
    return bench
  }

  private func with(_ names: [String], _ head: RequestHead, field: String = "X-Scope-OrgID") -> RequestHead {
    var head = head
    for name in names { head.fields.append(name: field, value: name) }
    return head
  }

  @Test func itGoesWithTheRequest() {
    let bench = bench()
    #expect(bench.call(with(["a"], .grpc()), framed([])).response?.grpcStatus == 0)
    #expect(bench.post(with(["a"], .http()), []).response?.status == 200)
    #expect(bench.post(with(["b"], .http()), []).response?.status == 200)
    #expect(bench.post(.http(), []).response?.status == 200)
    #expect(bench.post(with([""], .http()), []).response?.status == 200)
    #expect(bench.consumer.requests.map { $0.tenant?.name } == ["a", "a", "b", nil, nil])
    #expect(bench.refused.isEmpty)
  }

  @Test func nobodyAsksWhereTheyAreOff() {
    let bench = Bench()
    for names in [["a"], ["a", "b"], ["no name"]] {
      #expect(bench.call(with(names, .grpc()), framed([])).response?.grpcStatus == 0)
      #expect(bench.post(with(names, .http()), []).response?.status == 200)
    }
    #expect(bench.consumer.requests.allSatisfy { $0.tenant == nil })
  }

  @Test(arguments: [["a b"], ["a", "a"], ["a", ""], [".."], ["a,b"], [String(repeating: "a", count: 151)]])
  func whatIsNotOneNameIsMalformed(_ names: [String]) {
    let bench = bench()
    let call = Exchange(bench.grpc, with(names, .grpc()))
    #expect(call.response?.grpcStatus == 3 && call.response?.details == nil)
    let post = Exchange(bench.http, with(names, .http(type: "application/json")))
    #expect(post.response?.status == 400)
    #expect(post.response?.text.contains("tenant") == true)
    #expect(bench.refused == [.malformed: 2])
    #expect(bench.consumer.requests.isEmpty)
  }

  @Test func itMayBeRequired() {
    let bench = bench(.otlp, TenantRules(header: "x-team", isRequired: true))
    for names in [[], [""]] {
      let call = Exchange(bench.grpc, with(names, .grpc(), field: "x-team"))
      #expect(call.response?.grpcStatus == 16)
      #expect(call.response?.details == nil, "it is of no use to try again")
      #expect(Exchange(bench.http, with(names, .http(), field: "x-team")).response?.status == 401)
    }
    #expect(Exchange(bench.http, with(["a"], .http())).response?.status == 401, "another field")
    #expect(bench.refused == [.unauthenticated: 5])
    #expect(bench.post(with(["a"], .http(), field: "X-Team"), []).response?.status == 200)
  }

  @Test(arguments: [(HTTPEndpoint.zipkin, "/api/v2/spans"), (.jaegerThrift, "/api/traces")])
  func atEveryEndpoint(_ endpoint: HTTPEndpoint, _ path: String) {
    let bench = bench(endpoint, TenantRules(isRequired: true))
    let type = endpoint.receiver == .zipkin ? "application/json" : "application/x-thrift"
    #expect(bench.post(.http(path: path, type: type), [0x5b, 0x5d]).response?.status == 401)
    #expect(bench.post(with(["a/b"], .http(path: path, type: type)), [0x5b, 0x5d]).response?.status == 400)
  }

  @Test func samplersAskForNobody() {
    let bench = bench(.otlp, TenantRules(isRequired: true), methods: [.jaegerPostSpans, .jaegerSamplingStrategy])
    let strategy = RequestHead.grpc(path: GRPCMethod.jaegerSamplingStrategy.path)
    #expect(bench.call(strategy, framed([])).response?.grpcStatus == 0)
    #expect(bench.call(.grpc(path: GRPCMethod.jaegerPostSpans.path), framed([])).response?.grpcStatus == 16)
  }

  @Test func moreThanThereMayBeAreForbidden() {
    let bench = bench(.otlp, TenantRules(tenantsMax: 2))
    for name in ["a", "b"] { #expect(bench.post(with([name], .http()), []).response?.status == 200) }
    #expect(Exchange(bench.http, with(["c"], .http())).response?.status == 403)
    let call = Exchange(bench.grpc, with(["c"], .grpc()))
    #expect(call.response?.grpcStatus == 7 && call.response?.details == nil)
    #expect(bench.refused == [.forbidden: 2])
    #expect(bench.post(with(["b"], .http()), []).response?.status == 200)
  }

  /// Whoever has sent too much is turned away before anything is read of him, and told for how long.
  @Test func whoOwesIsTurnedAway() {
    let bench = bench(.otlp, TenantRules(limits: TenantLimits(spansPerSecond: 10)))
    #expect(bench.post(with(["a"], .http()), []).response?.status == 200)
    // What the consumer does with what it has read.
    #expect(bench.consumer.requests[0].tenant?.take(spans: 45, bytes: 1) == nil)
    let post = Exchange(bench.http, with(["a"], .http(length: 900)))
    #expect(post.response?.status == 429)
    #expect(post.response?.fields.text("retry-after") == "4")
    #expect(post.response?.fields.text("content-type") == "application/x-protobuf")
    let call = Exchange(bench.grpc, with(["a"], .grpc()))
    #expect(call.response?.grpcStatus == 14)
    #expect(call.response?.details?.retryDelay == .milliseconds(3500))
    #expect(bench.post(with(["b"], .http()), []).response?.status == 200)
    #expect(bench.refused == [.overload: 2])
    #expect(bench.budget.peak < 10_000)
    time.nanoseconds.store(3_600_000_000, ordering: .relaxed)
    #expect(bench.post(with(["a"], .http()), []).response?.status == 200)
  }

  @Test func theConsumersRefusalIsToldLikewise() {
    let bench = bench()
    bench.consumer.verdict = .limited(retryAfter: .milliseconds(1200))
    let call = bench.call(with(["a"], .grpc()), framed([]))
    #expect(call.response?.grpcStatus == 14 && call.response?.details?.retryDelay == .milliseconds(1200))
    let post = bench.post(with(["a"], .http(type: "application/json")), Array("{}".utf8))
    #expect(post.response?.status == 429 && post.response?.fields.text("retry-after") == "2")
  }
}
