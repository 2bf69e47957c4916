import Delivery
import HTTP2Engine
import Intake
import Telemetry

/// What stands behind the receivers in these tests: keeps every request and answers as it is told.
final class FakeConsumer: SpanConsumer {
  var hasRoom = true
  /// `nil`: the verdict comes later, by `answer`.
  var verdict: IntakeVerdict? = .accepted
  private(set) var requests: [IntakeRequest] = []
  private(set) var waiting: [(IntakeVerdict) -> Void] = []
  /// Asked while the consumer has a request.
  var onConsume: () -> Void = {}

  var bodies: [[UInt8]] { requests.map(\.body) }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    requests.append(request)
    onConsume()
    if let verdict { completion(verdict) } else { waiting.append(completion) }
  }

  /// Gives the verdict on a request that waits.
  func answer(_ verdict: IntakeVerdict, at index: Int = 0) { waiting.remove(at: index)(verdict) }

  /// Forgets what was handed over.
  func forget() { requests = [] }
}

/// The way back for one request; keeps what went that way.
final class FakeResponder: Responder {
  private(set) var responses: [Response] = []
  private(set) var consumedBytes = 0
  /// As a transport does, so that nothing holds the receiver any longer.
  var onRespond: () -> Void = {}

  func respond(_ response: Response) {
    responses.append(response)
    onRespond()
  }

  func consumed(_ byteCount: Int) { consumedBytes += byteCount }
}

/// One request as a transport carries it: it lets go of the receiver as soon as nothing more can come of it.
final class Exchange {
  let responder = FakeResponder()
  private(set) var receiver: (any RequestReceiver)?
  private(set) var sentBytes = 0

  init(_ service: any RequestService, _ head: RequestHead, from peer: PeerIdentity = PeerIdentity(address: "192.0.2.1"))
  {
    var isAnsweredAtOnce = false
    responder.onRespond = { isAnsweredAtOnce = true }
    let begun = service.begin(head, from: peer, responder: responder)
    responder.onRespond = { [unowned self] in receiver = nil }
    if !isAnsweredAtOnce { receiver = begun }
  }

  var response: Response? { responder.responses.count == 1 ? responder.responses[0] : nil }
  var isAnswered: Bool { !responder.responses.isEmpty }

  func send(_ bytes: some Collection<UInt8>) {
    guard let receiver else { return }
    sentBytes += bytes.count
    Array(bytes).withUnsafeBytes { receiver.receive($0) }
  }

  func finish() { receiver?.finish() }

  func cancel() {
    let cancelled = receiver
    receiver = nil
    cancelled?.cancel()
  }
}

/// Another thread that works when the test says.
final class FakeOffload: Offload {
  private var waiting: [() -> Void] = []

  var count: Int { waiting.count }

  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void) {
    waiting.append { then(work()) }
  }

  func work() {
    let due = waiting
    waiting = []
    for run in due { run() }
  }
}

/// Both services of one event loop over one consumer.
struct Bench {
  let consumer = FakeConsumer()
  let budget: ByteBudget
  let ledger = SpanLedger()
  let grpc: GRPCTraceService
  let http: HTTPTraceService

  init(
    _ endpoint: HTTPEndpoint = .otlp, methods: [GRPCMethod] = [.otlpExport], requestBytesMax: Int = 1000,
    budgetBytes: Int = 1 << 20, offload: (any Offload)? = nil
  ) {
    budget = ByteBudget(limit: budgetBytes)
    var context = IntakeContext(
      requestBytesMax: requestBytesMax, retryAfter: .milliseconds(1500), consumer: consumer, budget: budget,
      ledger: ledger, offload: offload)
    context.samplingProbability = 0.25
    grpc = GRPCTraceService(methods, context)
    http = HTTPTraceService(endpoint, context)
  }

  /// Refused requests by reason, those of none left out.
  var refused: [RefusalReason: Int] {
    var counts: [RefusalReason: Int] = [:]
    for reason in RefusalReason.allCases where ledger.refusedRequests(reason) > 0 {
      counts[reason] = ledger.refusedRequests(reason)
    }
    return counts
  }

  /// A whole gRPC call.
  func call(_ head: RequestHead = .grpc(), _ body: [UInt8]) -> Exchange {
    let exchange = Exchange(grpc, head)
    exchange.send(body)
    exchange.finish()
    return exchange
  }

  /// A whole POST.
  func post(_ head: RequestHead = .http(), _ body: [UInt8]) -> Exchange {
    let exchange = Exchange(http, head)
    exchange.send(body)
    exchange.finish()
    return exchange
  }
}
