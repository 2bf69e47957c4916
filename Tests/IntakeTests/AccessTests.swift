import Delivery
import HTTP2Engine
import Telemetry
import Testing

@testable import Intake

/// Who has no credentials is turned away before anything of the request is read.
@Suite struct AccessTests {
  private static let access = Access(
    bearerTokens: ["s3cret", "an0ther-token"], basic: [(username: "relay", password: "pass:word größe")])

  /// `authorization`, and whether it lets in. The first of the Basic ones is `relay:pass:word größe`.
  private static let shown: [(String, Bool)] = [
    ("Bearer s3cret", true), ("bearer an0ther-token", true), ("BEARER   s3cret \t", true),
    ("Basic cmVsYXk6cGFzczp3b3JkIGdyw7bDn2U=", true), ("basic  cmVsYXk6cGFzczp3b3JkIGdyw7bDn2U=", true),
    ("Bearer s3cre", false), ("Bearer s3cret2", false), ("Bearer S3cret", false), ("Bearer", false), ("Bearer ", false),
    ("Bearer s3crets3cret", false), ("Bearers3cret", false), ("s3cret", false), ("", false), ("Basic s3cret", false),
    ("Bearer cmVsYXk6cGFzczp3b3JkIGdyw7bDn2U=", false), ("Basic cmVsYXk6", false), ("Digest s3cret", false),
    ("Bearer s3cret,an0ther-token", false), (" Bearer s3cret", false),
  ]

  @Test func credentialsAreOneOfThose() {
    for (text, isAdmitted) in Self.shown {
      #expect(Self.access.admits([UInt8](text.utf8)[...]) == isAdmitted, "\(text)")
    }
    #expect(!Self.access.admits(nil))
    #expect(Access.open.admits(nil))
    #expect(Access.open.challenge == nil)
  }

  @Test func theChallengeNamesWhatWillDo() {
    #expect(
      Self.access.challenge == #"Bearer realm="longspan", Basic realm="longspan", charset="UTF-8""#)
    #expect(Access(bearerTokens: ["a"], basic: []).challenge == #"Bearer realm="longspan""#)
    #expect(
      Access(bearerTokens: [], basic: [(username: "a", password: "b")]).challenge
        == #"Basic realm="longspan", charset="UTF-8""#)
  }

  private func bench(_ endpoint: HTTPEndpoint = .otlp) -> Bench {
    let bench = Bench(endpoint, methods: [.otlpExport, .jaegerSamplingStrategy])
    bench.grpc.context.access = Self.access
    bench.http.context.access = Self.access
    return bench
  }

  private func with(_ authorization: String?, _ head: RequestHead) -> RequestHead {
    var head = head
    if let authorization { head.fields.append("authorization", authorization) }
    return head
  }

  @Test(arguments: [nil, "Bearer wrong", "Basic wrong"]) func strangersAreTurnedAway(_ shown: String?) {
    let bench = bench()
    // The answer comes before the body, which nobody looks at.
    let call = Exchange(bench.grpc, with(shown, .grpc()))
    #expect(call.response?.status == 200)
    #expect(call.response?.grpcStatus == 16)
    #expect(call.response?.details == nil, "it is of no use to try again")
    let post = Exchange(bench.http, with(shown, .http(length: 1 << 40)))
    #expect(post.response?.status == 401)
    #expect(post.response?.fields.text("www-authenticate") == Self.access.challenge)
    #expect(post.response?.fields.text("content-type") == "application/x-protobuf")
    #expect(post.response?.text.contains("wrong") == false)
    #expect(bench.post(with(shown, .http(type: "application/json")), [0xff]).response?.status == 401)
    #expect(bench.post(with(shown, .http(method: "GET", path: "/else")), []).response?.status == 401)
    #expect(bench.refused == [.unauthenticated: 4])
    #expect(bench.consumer.requests.isEmpty)
    #expect(bench.budget.peak == 0)
    #expect(ReceiverKind.allCases.allSatisfy { bench.ledger.received($0) == 0 })
  }

  @Test(arguments: ["Bearer s3cret", "Basic cmVsYXk6cGFzczp3b3JkIGdyw7bDn2U="]) func othersAreNot(_ shown: String) {
    let bench = bench()
    #expect(bench.call(with(shown, .grpc()), framed([])).response?.grpcStatus == 0)
    #expect(bench.post(with(shown, .http()), []).response?.status == 200)
    #expect(bench.refused.isEmpty)
  }

  @Test func samplersToo() {
    let bench = bench()
    let head = RequestHead(method: "GET", path: "/sampling?service=a", version: .http1)
    var context = bench.grpc.context
    context.access = Self.access
    let service = SamplingHTTPService(context)
    #expect(Exchange(service, head).response?.status == 401)
    #expect(Exchange(service, with("Bearer s3cret", head)).response?.status == 200)
    let path = GRPCMethod.jaegerSamplingStrategy.path
    #expect(bench.call(.grpc(path: path), framed([])).response?.grpcStatus == 16)
    #expect(bench.call(with("Bearer s3cret", .grpc(path: path)), framed([])).response?.grpcStatus == 0)
    #expect(bench.refused == [.unauthenticated: 2])
  }

  @Test func otherFormatsToo() {
    for (endpoint, path) in [(HTTPEndpoint.zipkin, "/api/v2/spans"), (.jaegerThrift, "/api/traces")] {
      let bench = bench(endpoint)
      let answer = bench.post(.http(path: path, type: "application/json"), [0x5b, 0x5d]).response
      #expect(answer?.status == 401)
      #expect(answer?.fields.text("content-type") == "text/plain; charset=utf-8")
      #expect(bench.refused == [.unauthenticated: 1])
    }
  }

  /// A rule that is changed holds for the next request of a connection that is open.
  @Test func anotherRuleHoldsForTheNextRequest() {
    let bench = bench()
    let head = with("Bearer s3cret", .http())
    #expect(bench.post(head, []).response?.status == 200)
    bench.http.context.access = Access(bearerTokens: ["new"], basic: [])
    #expect(bench.post(head, []).response?.status == 401)
    #expect(bench.post(with("Bearer new", .http()), []).response?.status == 200)
    bench.http.context.access = .open
    #expect(bench.post(.http(), []).response?.status == 200)
  }
}
