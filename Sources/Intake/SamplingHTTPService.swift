public import HTTP2Engine
internal import Telemetry

/// Tells remote samplers what part of their traces to keep: `GET /sampling?service=NAME` (Jaeger, "Remote sampling";
/// the Collector's `jaegerremotesampling` extension). The answer is the same for every service.
public final class SamplingHTTPService: IntakeService {
  public var context: IntakeContext

  /// Makes the service of one event loop.
  public init(_ context: IntakeContext) { self.context = context }

  public func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    responder.respond(answer(to: head))
    return Answered(responder)
  }

  private func answer(to head: RequestHead) -> Response {
    guard context.access.admits(head.fields) else {
      context.ledger.refusedRequest(.unauthenticated)
      return HTTPAnswer.unauthenticated(context.access, form: .plain)
    }
    guard HTTPEndpoint.path(of: head.path) == "/sampling" else {
      return HTTPAnswer.failure(404, "unknown path; strategies are at /sampling", form: .plain)
    }
    guard head.method == "GET" else {
      return HTTPAnswer.failure(405, "the method is GET", form: .plain, extra: ["allow": "GET"])
    }
    let query = head.path.drop { $0 != "?" }.dropFirst().split(separator: "&")
    guard query.count(where: { $0.hasPrefix("service=") }) == 1 else {
      return HTTPAnswer.failure(400, "the parameter service must be there once", form: .plain)
    }
    let rate = context.samplingProbability
    let body = #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":\#(rate)}}"#
    return Response(status: 200, fields: ["content-type": "application/json"], body: Array(body.utf8))
  }

  /// A request that has its answer: what still comes of it is of no account.
  private final class Answered: RequestReceiver {
    private let responder: any Responder

    init(_ responder: any Responder) { self.responder = responder }

    func receive(_ bytes: UnsafeRawBufferPointer) { responder.consumed(bytes.count) }
    func finish() {}
    func cancel() {}
  }
}
