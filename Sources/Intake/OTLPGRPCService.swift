internal import Compression
public import HTTP2Engine
internal import Telemetry
internal import TraceWire

/// OTLP over gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, unary, on HTTP/2.
public final class OTLPGRPCService: RequestService {
  /// The one method that is served.
  public static let exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  private let context: IntakeContext

  /// Makes the service of one event loop.
  public init(_ context: IntakeContext) { self.context = context }

  public func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    let call = GRPCExport(context, peer: peer, responder: responder)
    call.open(head)
    return call
  }
}

/// One call of `Export`: collects the one message, hands it on, answers.
final class GRPCExport: RequestReceiver {
  private let context: IntakeContext
  private let peer: PeerIdentity
  private let responder: any Responder
  private var coding = ContentCoding.identity
  private var isCodingNamed = false
  private var prefix: [UInt8] = []
  private var expected = 0
  private var body: BodyBuffer
  private var isAnswered = false

  init(_ context: IntakeContext, peer: PeerIdentity, responder: any Responder) {
    self.context = context
    self.peer = peer
    self.responder = responder
    body = BodyBuffer(bytesMax: context.requestBytesMax, budget: context.budget)
  }

  /// Looks at the head; answers at once what can never succeed.
  func open(_ head: RequestHead) {
    guard head.method == "POST" else { return answer(GRPCAnswer.http(status: 405)) }
    guard let contentType = head.fields.text("content-type"), GRPCAnswer.isGRPC(contentType) else {
      return answer(GRPCAnswer.http(status: 415))
    }
    guard head.path == OTLPGRPCService.exportPath else {
      return answer(GRPCAnswer.status(.unimplemented, "unknown method"))
    }
    if let name = head.fields["grpc-encoding"] {
      guard let known = ContentCoding(token: name) else {
        return answer(GRPCAnswer.unknownEncoding)
      }
      coding = known
      isCodingNamed = known != .identity
    }
    if !context.consumer.hasRoom { refuse(.overload(retryAfter: context.retryAfter)) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    defer { responder.consumed(bytes.count) }
    guard !isAnswered else { return }
    var rest = bytes[...]
    if prefix.count < GRPCMessagePrefix.size {
      let missing = min(GRPCMessagePrefix.size - prefix.count, rest.count)
      prefix.append(contentsOf: rest.prefix(missing))
      rest = rest.dropFirst(missing)
      guard prefix.count == GRPCMessagePrefix.size else { return }
      guard openMessage() else { return }
    }
    guard rest.count <= expected - body.bytes.count else {
      return malformed("a unary call has one message")
    }
    switch body.append(UnsafeRawBufferPointer(rebasing: rest)) {
    case .grown: break
    case .tooLarge: tooLarge()
    case .overBudget: refuse(.overload(retryAfter: context.retryAfter))
    }
  }

  /// Checks the announced length before anything is reserved. False: answered.
  private func openMessage() -> Bool {
    guard let message = try? GRPCMessagePrefix.read(at: 0, of: prefix.span.bytes) else {
      malformed("unknown message flag")
      return false
    }
    guard Int(message.length) <= context.requestBytesMax else {
      tooLarge()
      return false
    }
    if message.isCompressed, !isCodingNamed {
      malformed("compressed message without grpc-encoding", code: .internal)
      return false
    }
    if !message.isCompressed { coding = .identity }
    expected = Int(message.length)
    body.expect(expected)
    return true
  }

  func finish() {
    guard !isAnswered else { return }
    guard prefix.count == GRPCMessagePrefix.size, body.bytes.count == expected else {
      return malformed("truncated message")
    }
    var message = body.take()
    if coding != .identity {
      switch context.inflate(message, coding) {
      case .success(let inflated): message = inflated
      case .failure(.tooLarge): return tooLarge()
      case .failure(.malformed): return malformed("damaged \(coding.token) data")
      }
      guard body.charge(upTo: message.count) else { return refuse(.overload(retryAfter: context.retryAfter)) }
    }
    let request = IntakeRequest(body: message, receiver: .otlpGRPC, peer: peer)
    context.consumer.consume(request) { self.refuse($0) }
  }

  func cancel() { isAnswered = true }

  // MARK: Answers

  private func malformed(_ message: String, code: GRPCStatusCode = .invalidArgument) {
    context.ledger.refusedRequest(.malformed)
    answer(GRPCAnswer.status(code, message))
  }

  private func tooLarge() {
    context.ledger.refusedRequest(.tooLarge)
    answer(GRPCAnswer.tooLarge(limit: context.requestBytesMax))
  }

  /// Turns a verdict (an acceptance too) into the answer, and books a refusal.
  private func refuse(_ verdict: IntakeVerdict) {
    if let reason = verdict.refusalReason { context.ledger.refusedRequest(reason) }
    answer(GRPCAnswer.verdict(verdict))
  }

  private func answer(_ response: Response) {
    guard !isAnswered else { return }
    isAnswered = true
    responder.respond(response)
  }
}
