internal import Compression
internal import Delivery
public import HTTP2Engine
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// Traces sent by gRPC, unary, on HTTP/2, by the methods of a receiver.
public final class GRPCTraceService: IntakeService {
  /// What is served.
  public let methods: [GRPCMethod]

  public var context: IntakeContext

  /// Makes the service of one event loop.
  public init(_ methods: [GRPCMethod], _ context: IntakeContext) {
    self.methods = methods
    self.context = context
  }

  public func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    let call = GRPCExport(self, peer: peer, responder: responder)
    call.open(head)
    return call
  }
}

/// One call: collects the one message, hands it on, answers.
///
/// The service is held rather than its context copied: that is one reference to count for each call and not four.
final class GRPCExport: RequestReceiver {
  private let service: GRPCTraceService
  private let peer: PeerIdentity
  private let responder: any Responder
  private var method = GRPCMethod.otlpExport
  private var coding = ContentCoding.identity
  private var batch: BatchIdentity?
  private var tenant: Tenant?
  private var prefix = InlineArray<5, UInt8>(repeating: 0)
  private var prefixCount = 0
  private var expected = 0
  private var body: BodyBuffer
  /// Somebody else has the message: its charge stays until they are done with it.
  private var isHandedOn = false
  private var isAnswered = false

  private var context: IntakeContext { service.context }

  init(_ service: GRPCTraceService, peer: PeerIdentity, responder: any Responder) {
    self.service = service
    self.peer = peer
    self.responder = responder
    body = BodyBuffer(bytesMax: service.context.requestBytesMax, budget: service.context.budget)
  }

  /// Looks at the head; answers at once what can never succeed.
  func open(_ head: RequestHead) {
    guard head.method == "POST" else { return answer(GRPCAnswer.wrongMethod) }
    guard let contentType = head.fields["content-type"], GRPCAnswer.isGRPC(contentType) else {
      return answer(GRPCAnswer.wrongContentType)
    }
    guard context.access.admits(head.fields) else { return unauthenticated() }
    guard let called = service.methods.first(where: { $0.path == head.path }) else {
      return answer(GRPCAnswer.status(.unimplemented, "unknown method"))
    }
    method = called
    if let name = head.fields["grpc-encoding"] {
      guard let known = ContentCoding(token: name) else { return answer(GRPCAnswer.unknownEncoding) }
      coding = known
    }
    batch = head.fields[BatchIdentity.header].flatMap { BatchIdentity($0) }
    guard method != .jaegerSamplingStrategy else { return }
    switch context.tenants?.admission(of: head.fields) {
    case .admitted(let found): tenant = found
    case .refused(let verdict): return conclude(verdict)
    case nil: break
    }
    if !context.consumer.hasRoom { overload() }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    defer { responder.consumed(bytes.count) }
    guard !isAnswered else { return }
    var rest = bytes[...]
    if prefixCount < GRPCMessagePrefix.size {
      while prefixCount < GRPCMessagePrefix.size, let byte = rest.popFirst() {
        prefix[prefixCount] = byte
        prefixCount += 1
      }
      guard prefixCount == GRPCMessagePrefix.size, openMessage() else { return }
    }
    guard rest.count <= expected - body.bytes.count else {
      return malformed("a unary call has one message")
    }
    switch body.append(UnsafeRawBufferPointer(rebasing: rest)) {
    case .grown: break
    case .tooLarge: tooLarge()
    case .overBudget: overload()
    }
  }

  /// Checks the announced length before any room is made. False: answered.
  private func openMessage() -> Bool {
    let bytes = prefix
    guard let message = try? GRPCMessagePrefix.read(at: 0, of: bytes.span.bytes) else {
      malformed("unknown message flag")
      return false
    }
    guard Int(message.length) <= context.requestBytesMax else {
      tooLarge()
      return false
    }
    if message.isCompressed, coding == .identity {
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
    guard prefixCount == GRPCMessagePrefix.size, body.bytes.count == expected else {
      return malformed("truncated message")
    }
    if method == .jaegerSamplingStrategy { return answer(GRPCAnswer.strategy(context.samplingProbability)) }
    let preparation = BodyPreparation(
      coding: coding, format: method.format, bytesMax: context.requestBytesMax, budget: context.budget)
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
    case .excessive: tooLarge(GRPCAnswer.excessive)
    case .overBudget: overload()
    }
  }

  private func handOn(_ message: [UInt8], _ census: RequestCensus?) {
    isHandedOn = true
    let request = IntakeRequest(
      body: message, receiver: method.receiver, peer: peer, tenant: tenant, batch: batch, census: census)
    context.consumer.consume(request) { self.conclude($0) }
  }

  func cancel() {
    isAnswered = true
    if !isHandedOn { body.release() }
  }

  // MARK: Answers

  private func malformed(_ message: String, code: GRPCStatusCode = .invalidArgument) {
    context.ledger.refusedRequest(.malformed)
    answer(GRPCAnswer.status(code, message))
  }

  private func unauthenticated() {
    context.ledger.refusedRequest(.unauthenticated)
    answer(GRPCAnswer.unauthenticated)
  }

  private func tooLarge(_ response: Response? = nil) {
    context.ledger.refusedRequest(.tooLarge)
    answer(response ?? GRPCAnswer.tooLarge(limit: context.requestBytesMax))
  }

  private func overload() { conclude(.overload(retryAfter: context.retryAfter)) }

  /// Turns a verdict into the answer, and books a refusal.
  private func conclude(_ verdict: IntakeVerdict) {
    if let reason = verdict.refusalReason { context.ledger.refusedRequest(reason) }
    answer(GRPCAnswer.verdict(verdict))
  }

  private func answer(_ response: Response) {
    body.release()
    guard !isAnswered else { return }
    isAnswered = true
    responder.respond(response)
  }
}
