internal import Compression
public import HTTP2Engine
internal import Telemetry
internal import TraceWire

/// OTLP over HTTP: `POST /v1/traces`, protobuf and JSON, on HTTP/1.1 and HTTP/2.
public final class OTLPHTTPService: IntakeService {
  /// The one path that is served.
  public static let tracesPath = "/v1/traces"

  public var context: IntakeContext

  /// Makes the service of one event loop.
  public init(_ context: IntakeContext) { self.context = context }

  public func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    let export = HTTPExport(context, head: head, peer: peer, responder: responder)
    export.open(head)
    return export
  }
}

/// One `POST`: collects the body, hands it on as OTLP bytes, answers in the request's content type.
final class HTTPExport: RequestReceiver {
  private let context: IntakeContext
  private let peer: PeerIdentity
  private let responder: any Responder
  private let format: HTTPAnswer.Format?
  private var coding = ContentCoding.identity
  private var body: BodyBuffer
  /// Somebody else has the message: its charge stays until they are done with it.
  private var isHandedOn = false
  private var isAnswered = false

  init(_ context: IntakeContext, head: RequestHead, peer: PeerIdentity, responder: any Responder) {
    self.context = context
    self.peer = peer
    self.responder = responder
    format = HTTPAnswer.Format(contentType: head.fields.text("content-type"))
    body = BodyBuffer(bytesMax: context.requestBytesMax, budget: context.budget)
  }

  /// Looks at the head; answers at once what can never succeed.
  func open(_ head: RequestHead) {
    guard head.path == OTLPHTTPService.tracesPath || Self.path(of: head.path) == OTLPHTTPService.tracesPath else {
      return fail(404, "unknown path; traces go to /v1/traces")
    }
    guard head.method == "POST" else {
      return answer(HTTPAnswer.failure(405, "the method is POST", format: format, extra: ["allow": "POST"]))
    }
    guard format != nil else {
      return fail(415, "the content type is application/x-protobuf or application/json")
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

  /// The path of a request's target without its query. A target may be a whole URI, which proxies send and every
  /// server has to take (RFC 9112, 3.2.2).
  private static func path(of target: String) -> Substring {
    var path = target[...]
    let scheme = ["http://", "https://"].first { path.prefix($0.count).lowercased() == $0 }
    if let scheme { path = path.dropFirst(scheme.count).drop { $0 != "/" && $0 != "?" } }
    return path.prefix { $0 != "?" }
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
      coding: coding, isJSON: format == .json, bytesMax: context.requestBytesMax, budget: context.budget)
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
    let request = IntakeRequest(body: message, receiver: .otlpHTTP, peer: peer, census: census)
    context.consumer.consume(request) { self.conclude($0) }
  }

  func cancel() {
    isAnswered = true
    if !isHandedOn { body.release() }
  }

  // MARK: Answers

  private func fail(_ status: Int, _ message: String) {
    answer(HTTPAnswer.failure(status, message, format: format))
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
    answer(HTTPAnswer.verdict(verdict, format: format))
  }

  private func answer(_ response: Response) {
    body.release()
    guard !isAnswered else { return }
    isAnswered = true
    responder.respond(response)
  }
}
