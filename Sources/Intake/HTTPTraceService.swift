internal import Compression
public import HTTP2Engine
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// Traces posted over HTTP/1.1 and HTTP/2, in the formats of an endpoint.
public final class HTTPTraceService: IntakeService {
  /// What is served.
  public let endpoint: HTTPEndpoint

  public var context: IntakeContext

  /// Makes the service of one event loop.
  public init(_ endpoint: HTTPEndpoint, _ context: IntakeContext) {
    self.endpoint = endpoint
    self.context = context
  }

  public func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    let export = HTTPExport(endpoint, context, peer: peer, responder: responder)
    export.open(head)
    return export
  }
}

/// One `POST`: collects the body, hands it on as OTLP bytes, answers as the endpoint does.
final class HTTPExport: RequestReceiver {
  private let endpoint: HTTPEndpoint
  private let context: IntakeContext
  private let peer: PeerIdentity
  private let responder: any Responder
  private var format: BodyFormat?
  private var coding = ContentCoding.identity
  private var tenant: Tenant?
  private var body: BodyBuffer
  /// Somebody else has the message: its charge stays until they are done with it.
  private var isHandedOn = false
  private var isAnswered = false

  init(_ endpoint: HTTPEndpoint, _ context: IntakeContext, peer: PeerIdentity, responder: any Responder) {
    self.endpoint = endpoint
    self.context = context
    self.peer = peer
    self.responder = responder
    body = BodyBuffer(bytesMax: context.requestBytesMax, budget: context.budget)
  }

  /// Looks at the head; answers at once what can never succeed.
  func open(_ head: RequestHead) {
    let route = endpoint.route(of: head.path)
    format = (route ?? endpoint.routes.first)?.format(head.fields.text("content-type"))
    guard context.access.admits(head.fields) else { return unauthenticated() }
    guard let route else { return fail(404, endpoint.unknownPath) }
    guard head.method == "POST" else {
      return answer(HTTPAnswer.failure(405, "the method is POST", form: form, extra: ["allow": "POST"]))
    }
    guard format != nil else { return fail(415, route.unknownType) }
    switch context.tenants?.admission(of: head.fields) {
    case .admitted(let found): tenant = found
    case .refused(let verdict): return conclude(verdict)
    case nil: break
    }
    if let name = head.fields["content-encoding"] {
      guard let known = ContentCoding(token: name) else {
        return fail(415, "the content encoding is gzip, zstd or identity")
      }
      coding = known
    }
    if let length = head.contentLength {
      guard length <= context.requestBytesMax else { return tooLarge() }
      body.expect(length)
    } else if head.fields["content-length"] != nil {
      // A number that no `Int` holds; what is no number does not come this far.
      return tooLarge()
    }
    if !context.consumer.hasRoom { overload() }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    defer { responder.consumed(bytes.count) }
    guard !isAnswered else { return }
    switch body.append(bytes) {
    case .grown: break
    case .tooLarge: tooLarge()
    case .overBudget: overload()
    }
  }

  func finish() {
    guard !isAnswered, let format else { return }
    let preparation = BodyPreparation(
      coding: coding, format: format, bytesMax: context.requestBytesMax, budget: context.budget)
    isHandedOn = true
    context.prepare(preparation, body.take(), charged: body.charged) { self.prepared($0, charged: $1) }
  }

  private func prepared(_ outcome: BodyPreparation.Outcome, charged: Int) {
    isHandedOn = false
    body.adopt(charged: charged)
    guard !isAnswered else { return body.release() }
    switch outcome {
    case .ready(let message, let census): handOn(message, census)
    case .damaged: malformed("damaged \(coding.token) data")
    case .malformed(let fault): conclude(.malformed(fault))
    case .tooLarge, .large: tooLarge()
    case .excessive: tooLarge(HTTPAnswer.excessive)
    case .overBudget: overload()
    }
  }

  private func handOn(_ message: [UInt8], _ census: RequestCensus?) {
    isHandedOn = true
    let request = IntakeRequest(
      body: message, receiver: endpoint.receiver, peer: peer, tenant: tenant, census: census)
    context.consumer.consume(request) { self.conclude($0) }
  }

  func cancel() {
    isAnswered = true
    if !isHandedOn { body.release() }
  }

  // MARK: Answers

  private var form: HTTPAnswer.Form {
    switch format {
    case .otlp: .protobuf
    case .otlpJSON: .json
    default: .plain
    }
  }

  private func fail(_ status: Int, _ message: String) {
    answer(HTTPAnswer.failure(status, message, form: form))
  }

  private func unauthenticated() {
    context.ledger.refusedRequest(.unauthenticated)
    answer(HTTPAnswer.unauthenticated(context.access, form: form))
  }

  private func malformed(_ message: String) {
    context.ledger.refusedRequest(.malformed)
    fail(400, message)
  }

  private func tooLarge(_ message: String? = nil) {
    context.ledger.refusedRequest(.tooLarge)
    fail(413, message ?? "request larger than \(context.requestBytesMax) bytes")
  }

  private func overload() { conclude(.overload(retryAfter: context.retryAfter)) }

  /// Turns a verdict into the answer, and books a refusal.
  private func conclude(_ verdict: IntakeVerdict) {
    if let reason = verdict.refusalReason { context.ledger.refusedRequest(reason) }
    answer(HTTPAnswer.verdict(verdict, form: form))
  }

  private func answer(_ response: Response) {
    body.release()
    guard !isAnswered else { return }
    isAnswered = true
    responder.respond(response)
  }
}
