/// What the gateway knows of one span after the one walk over it; policy, stitching and flows work on this alone.
/// Fixed size, no references. Ranges are offsets in the request's buffer.
@frozen public struct SpanFacts: Sendable {
  /// OTLP span kind.
  @frozen public enum Kind: UInt8, Sendable {
    case unspecified = 0
    case `internal` = 1
    case server = 2
    case client = 3
    case producer = 4
    case consumer = 5
  }

  /// Yes-or-no facts.
  @frozen public struct Traits: OptionSet, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// The trace ID is not 16 bytes or all zero: the span is refused.
    public static let invalidTraceID = Traits(rawValue: 1 << 0)
    /// The span ID is not 8 bytes or all zero: the span is refused.
    public static let invalidSpanID = Traits(rawValue: 1 << 1)
    /// An error span in the contract's sense.
    public static let error = Traits(rawValue: 1 << 2)
    /// Some attribute is a baggage entry or a captured baggage header, and not all of them are harmless (by the walk's
    /// `AttributeKeys`).
    public static let baggage = Traits(rawValue: 1 << 3)
    /// `ot=th` is present and well formed: `threshold` holds it.
    public static let hasThreshold = Traits(rawValue: 1 << 4)
    /// `ot=rv` is present and well formed: `randomness` holds it.
    public static let hasRandomness = Traits(rawValue: 1 << 5)
    /// The tracestate has an `ot` member at all.
    public static let hasOT = Traits(rawValue: 1 << 6)

    /// Either ID makes the span unacceptable.
    public static let invalid: Traits = [.invalidTraceID, .invalidSpanID]
  }

  public var traceID = TraceID()
  public var spanID = SpanID()
  /// Zero where the span has no parent.
  public var parentID = SpanID()
  /// Nanoseconds since the Unix epoch, as the peer sent them.
  public var start: UInt64 = 0
  public var end: UInt64 = 0
  /// 56 bits: `rv` if given, else the low 56 bits of the trace ID.
  public var randomness: UInt64 = 0
  /// The incoming `th`, zero (keep everything) where there is none.
  public var threshold = Threshold.always
  /// The span's field in its ScopeSpans, tag and length included: what a verbatim copy copies.
  public var record = ByteRange()
  /// The span message itself.
  public var body = ByteRange()
  /// Value of `trace_state`.
  public var traceState = ByteRange()
  /// Value of the first in rank of `peer.region`, `server.region`, `net.peer.region`, `destination.region`.
  public var calleeRegion = ByteRange()
  /// Value of the first in rank of `client.region`, `source.region`, `baggage.region`.
  public var callerRegion = ByteRange()
  /// Host of the callee: the first in rank of `server.address`, `net.peer.name`, `peer.service`, host of `url.full`.
  public var calleeHost = ByteRange()
  /// Host of the caller: `client.address`.
  public var callerHost = ByteRange()
  /// Value of `network.peer.address`: the fallback on either side.
  public var peerAddress = ByteRange()
  /// W3C and OTLP flag bits.
  public var flags: UInt32 = 0
  /// Index in `RequestFacts.resources`.
  public var resource: UInt32 = 0
  /// Index in `RequestFacts.scopes`.
  public var scope: UInt32 = 0
  public var traits: Traits = []
  public var kind: Kind = .unspecified

  /// Facts of an empty span.
  @inlinable public init() {}
}
