internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import Telemetry
internal import TraceWire

/// A body through one of the receiving services: answered once, within its limits, and charged for no longer than it is
/// held.
enum IntakeTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let isGRPC = input.flag()
    let coding = input.one(of: [nil, "gzip", "zstd", "identity", "br"])
    let limit = input.one(of: [1000, 100, 0, 100_000])
    let pieceSize = input.one(of: [1 << 20, 1, 7, 300])
    let ending = input.byte()
    let budget = ByteBudget(limit: input.one(of: [1 << 20, 5000, 100]))
    let consumer = IntakeConsumer(bytesMax: limit, isLate: ending & 4 != 0, hasRoom: ending & 24 != 24)
    let ledger = SpanLedger()
    let context = IntakeContext(
      requestBytesMax: limit, retryAfter: .seconds(1), consumer: consumer, budget: budget, ledger: ledger)
    var fields: HeaderFields = ["content-type": isGRPC ? "application/grpc" : "application/x-protobuf"]
    if !isGRPC, ending & 32 != 0 { fields = ["content-type": "application/json"] }
    if let coding { fields.append(isGRPC ? "grpc-encoding" : "content-encoding", coding) }
    let head = RequestHead(
      method: "POST", path: isGRPC ? GRPCMethod.otlpExport.path : "/v1/traces",
      version: isGRPC ? .http2 : .http1, fields: fields, contentLength: ending & 64 != 0 ? input.data.count : nil)
    if isGRPC, ending & 128 != 0 { input.frame(isCompressed: coding == "gzip" || coding == "zstd") }
    let responder = IntakeResponder()
    let service: any RequestService =
      isGRPC ? GRPCTraceService([.otlpExport], context) : HTTPTraceService(.otlp, context)
    var receiver: (any RequestReceiver)? = service.begin(
      head, from: PeerIdentity(address: "192.0.2.1"), responder: responder)
    var sent = 0
    for piece in input.pieces(of: pieceSize) where responder.responses.isEmpty {
      piece.withUnsafeBytes { receiver?.receive($0) }
      sent += piece.count
      try check(responder.consumed == sent, "\(responder.consumed) of \(sent) bytes given back")
      try check(budget.used <= budget.limit, "\(budget.used) bytes charged")
    }
    let isCancelled = ending & 3 == 3 && responder.responses.isEmpty
    if responder.responses.isEmpty { if isCancelled { receiver?.cancel() } else { receiver?.finish() } }
    try check(budget.used <= budget.limit, "\(budget.used) bytes charged")
    for completion in consumer.waiting { completion(.accepted) }
    consumer.waiting = []
    try check(responder.responses.count == (isCancelled ? 0 : 1), "\(responder.responses.count) answers")
    receiver = nil
    try check(budget.used == 0, "\(budget.used) bytes charged in the end")
    if let finding = consumer.finding { throw finding }
    if consumer.taken == 1, coding == nil, ending & 32 == 0 || isGRPC {
      let wanted = isGRPC ? input.unframed : input.data
      try check(consumer.body == wanted, "took \(consumer.body.count) bytes that are not the message")
    }
    try checkAnswer(responder, isGRPC: isGRPC, consumer, ledger, isCancelled: isCancelled)
  }

  private static func checkAnswer(
    _ responder: IntakeResponder, isGRPC: Bool, _ consumer: IntakeConsumer, _ ledger: SpanLedger, isCancelled: Bool
  ) throws(FuzzFinding) {
    guard let response = responder.responses.first else { return }
    let status = response.trailers.text("grpc-status") ?? response.fields.text("grpc-status")
    let isSuccess = isGRPC ? status == "0" : response.status == 200
    if isGRPC {
      try check(response.status == 200 && status != nil, "no gRPC status")
    } else {
      try check([200, 400, 413, 415, 503].contains(response.status), "status \(response.status)")
    }
    try check(!isSuccess || consumer.taken == 1, "success without a consumer that took it")
    try check(consumer.taken <= 1, "taken \(consumer.taken) times")
    let refused = RefusalReason.allCases.reduce(0) { $0 + ledger.refusedRequests($1) }
    try check(refused <= 1 && !(isSuccess && refused > 0), "\(refused) refusals of one request")
  }
}

/// What stands behind the services: reads a request and says what it thinks of it, at once or later.
private final class IntakeConsumer: SpanConsumer {
  let hasRoom: Bool
  private let bytesMax: Int
  private let isLate: Bool
  var waiting: [(IntakeVerdict) -> Void] = []
  var taken = 0
  var body: [UInt8] = []
  var finding: FuzzFinding?

  init(bytesMax: Int, isLate: Bool, hasRoom: Bool) {
    self.bytesMax = bytesMax
    self.isLate = isLate
    self.hasRoom = hasRoom
  }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    taken += 1
    body = request.body
    if request.body.count > 4 * bytesMax { finding = FuzzFinding("a request of \(request.body.count) bytes") }
    var facts = RequestFacts()
    if let fault = WalkedRequest.fault(request.body, &facts, keys: AttributeKeys()) {
      completion(.malformed(fault))
    } else if isLate {
      waiting.append(completion)
    } else {
      completion(.accepted(rejectedSpans: facts.spans.count { !$0.traits.isDisjoint(with: .invalid) }, message: "m"))
    }
  }
}

private final class IntakeResponder: Responder {
  var responses: [Response] = []
  var consumed = 0

  func respond(_ response: Response) { responses.append(response) }
  func consumed(_ byteCount: Int) { consumed += byteCount }
}

extension FuzzInput {
  /// The message behind gRPC's prefix where it is the whole rest, `nil` otherwise.
  fileprivate var unframed: [UInt8]? {
    guard let prefix = try? GRPCMessagePrefix.read(at: 0, of: data.span.bytes) else { return nil }
    let message = data.dropFirst(GRPCMessagePrefix.size)
    return message.count == prefix.length ? Array(message) : nil
  }

  /// Puts gRPC's prefix with the true length in front of the data.
  fileprivate mutating func frame(isCompressed: Bool) {
    var framed: [UInt8] = []
    GRPCMessagePrefix(isCompressed: isCompressed, length: UInt32(clamping: data.count)).append(to: &framed)
    self = FuzzInput(framed + data)
  }
}
