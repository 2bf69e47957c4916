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
  /// The consumer has the message: its charge stays until the verdict.
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
    let path = head.path.utf8.prefix { $0 != UInt8(ascii: "?") }
    guard path.elementsEqual(OTLPHTTPService.tracesPath.utf8) else {
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
    }
    if !context.consumer.hasRoom { conclude(.overload(retryAfter: context.retryAfter)) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    defer { responder.consumed(bytes.count) }
    guard !isAnswered else { return }
    switch body.append(bytes) {
    case .grown: break
    case .tooLarge: tooLarge()
    case .overBudget: conclude(.overload(retryAfter: context.retryAfter))
    }
  }

  func finish() {
    guard !isAnswered, let format else { return }
    var message = body.take()
    if coding != .identity {
      switch context.inflate(message, coding) {
      case .success(let inflated): message = inflated
      case .failure(.tooLarge): return tooLarge()
      case .failure(.malformed): return malformed("damaged \(coding.token) data")
      }
      guard body.charge(upTo: message.count) else { return conclude(.overload(retryAfter: context.retryAfter)) }
    }
    if format == .json {
      do throws(WireFault) {
        message = try OTLPJSON.translate(message.span.bytes)
      } catch {
        return conclude(.malformed(error))
      }
      guard body.charge(upTo: message.count) else { return conclude(.overload(retryAfter: context.retryAfter)) }
    }
    isHandedOn = true
    let request = IntakeRequest(body: message, receiver: .otlpHTTP, peer: peer)
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

  private func tooLarge() {
    context.ledger.refusedRequest(.tooLarge)
    fail(413, "request larger than \(context.requestBytesMax) bytes")
  }

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
