internal import Compression
public import Delivery
public import HTTP2Engine
public import Telemetry
public import Tenancy
public import TraceWire

/// One request in the one format that exists past Intake: OTLP bytes.
public struct IntakeRequest: Sendable {
  /// An `ExportTraceServiceRequest`, decompressed; not looked at yet.
  public var body: [UInt8]
  /// Where it came in.
  public var receiver: ReceiverKind
  /// Who sent it.
  public var peer: PeerIdentity
  /// Whose spans it brings; nil for nobody's.
  public var tenant: Tenant?
  /// What a relay calls this batch, at every try; nil where the sender gave it no name.
  public var batch: BatchIdentity?
  /// How many parts a large body has; for the walk, so that it makes room once.
  public var census: RequestCensus?

  /// From this size on a request is large: some thousand spans, of which an event loop has a millisecond of work. What
  /// takes long of it is not for an event loop, whose other connections would wait.
  static let largeBytesMin = 512 << 10
  /// Whether it is large.
  public var isLarge: Bool { body.count >= Self.largeBytesMin }

  /// Makes a request.
  public init(
    body: [UInt8], receiver: ReceiverKind, peer: PeerIdentity, tenant: Tenant? = nil, batch: BatchIdentity? = nil,
    census: RequestCensus? = nil
  ) {
    self.body = body
    self.receiver = receiver
    self.peer = peer
    self.tenant = tenant
    self.batch = batch
    self.census = census
  }
}

/// What became of a request. Everything but `accepted` leaves nothing of it behind.
public enum IntakeVerdict: Sendable, Equatable {
  /// Taken into what stands behind Intake, but for so many spans that were refused one by one.
  case accepted(rejectedSpans: Int, message: String)
  case malformed(WireFault)
  /// No room now: the sender may try again after the delay.
  case overload(retryAfter: Duration)
  /// The tenant has sent as much as it may: it may go on after the delay.
  case limited(retryAfter: Duration)
  /// The peer did not say who it is.
  case unauthenticated(String)
  /// The request's head says something that means nothing.
  case invalid(String)
  /// The peer may not send this.
  case forbidden(String)

  /// Everything was taken.
  public static var accepted: IntakeVerdict { .accepted(rejectedSpans: 0, message: "") }
}

/// What stands behind the receivers of one event loop: the relay's policy and queue, or the aggregator's shards.
public protocol SpanConsumer: AnyObject {
  /// Whether a request that begins now has a chance; asked before its body is read.
  var hasRoom: Bool { get }
  /// Takes in a request. `completion` is called exactly once, on the same event loop, when the spans are as durable
  /// as the configuration promises.
  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void)
}

/// A receiving service of one event loop.
public protocol IntakeService: RequestService {
  /// What holds for requests from now on.
  var context: IntakeContext { get set }
}

/// What the receivers of one event loop share.
public struct IntakeContext {
  /// Bytes a request may have, before and after decompression.
  public var requestBytesMax: Int
  /// What senders are told to wait when there is no room.
  public var retryAfter: Duration
  /// What part of their traces senders are told to keep who ask for it, from 0 to 1.
  public var samplingProbability = 1.0
  /// Who may send.
  public var access = Access.open
  /// Whose spans may be sent; nil where nobody asks.
  public var tenants: Tenants?
  /// What stands behind the receivers.
  public var consumer: any SpanConsumer
  /// What bodies in flight are charged to.
  public var budget: ByteBudget
  /// Where refused requests are booked.
  public var ledger: SpanLedger
  /// Where large requests are prepared; nil: here.
  public var offload: (any Offload)?

  /// The loop's own decompressor, reused from request to request.
  let decompressor = Decompressor()

  /// Makes a context.
  public init(
    requestBytesMax: Int, retryAfter: Duration, consumer: any SpanConsumer, budget: ByteBudget, ledger: SpanLedger,
    offload: (any Offload)? = nil
  ) {
    self.requestBytesMax = requestBytesMax
    self.retryAfter = retryAfter
    self.consumer = consumer
    self.budget = budget
    self.ledger = ledger
    self.offload = offload
  }
}
