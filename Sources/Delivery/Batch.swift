/// Spans that travel together: one OTLP `ExportTraceServiceRequest`.
public struct Batch: Sendable {
  /// The request's bytes: `resource_spans` fields, one after the other. Shared, not copied, between exporters.
  public var payload: [UInt8]
  /// Whether the payload is compressed while it waits: one zstd frame, which a peer that knows zstd is sent as it is.
  public var isCompressed = false
  /// The payload as one zstd frame beside the payload itself: what a log on disk keeps of a batch that is sent as it is.
  public var stored: [UInt8]?
  public var spanCount: Int
  /// Whose spans these are, all of them; nil where they are nobody's in particular.
  public var tenant: String?
  /// Whoever waits for this batch to be safe, as the tokens given to the batcher; none where a queue in memory is enough.
  public var owners: [UInt64]
  /// The account shared with the other exporters that got the same batch; nil where there is one destination.
  public var handedOn: HandedOn?
  /// What a receiver knows the batch by; nil where nobody asks.
  public var identity: BatchIdentity?
  /// How far it got with a destination that answers for every span by itself; nil while all of it is to be sent.
  public internal(set) var progress: DeliveryProgress?
  /// Where the batch lies in a log on disk, which is to forget it when it settles.
  public var address: UInt64?

  /// Makes a batch.
  public init(
    payload: [UInt8], spanCount: Int, tenant: String? = nil, owners: [UInt64] = [], handedOn: HandedOn? = nil
  ) {
    self.payload = payload
    self.spanCount = spanCount
    self.tenant = tenant
    self.owners = owners
    self.handedOn = handedOn
  }

  /// The bytes it holds: what the batch is charged with.
  public var byteCount: Int { payload.count + (stored?.count ?? 0) }
}

/// When a batch is complete.
public struct BatchLimits: Sendable, Equatable {
  /// How long the first span of a batch waits for company; zero seals after each append.
  public var timeout: Duration
  /// Spans from which on a batch is sealed.
  public var sendBatchSize: Int
  /// Spans a batch never exceeds (a whole trace excepted); zero means any number.
  public var sendBatchMaxSize: Int
  /// Bytes a batch never exceeds, one larger span or trace excepted. gRPC servers accept 4 MiB unless told otherwise.
  public var maxBytes: Int

  /// The default of `maxBytes`: a quarter below gRPC's usual limit, so that framing and other people's counting fit.
  public static let usualMaxBytes = 3 << 20

  /// Makes limits; a maximum below the size lowers the size.
  public init(
    timeout: Duration = .seconds(1), sendBatchSize: Int = 1024, sendBatchMaxSize: Int = 2048,
    maxBytes: Int = BatchLimits.usualMaxBytes
  ) {
    precondition(sendBatchSize >= 0 && sendBatchMaxSize >= 0 && maxBytes > 0, "batch limits are not negative")
    self.timeout = timeout
    self.sendBatchSize = sendBatchMaxSize > 0 ? min(sendBatchSize, sendBatchMaxSize) : sendBatchSize
    self.sendBatchMaxSize = sendBatchMaxSize
    self.maxBytes = maxBytes
  }
}
