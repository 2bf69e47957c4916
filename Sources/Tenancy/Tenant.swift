internal import Synchronization
internal import Telemetry
public import TraceWire

/// Which of a tenant's limits a request came up against.
public enum TenantLimit: String, CaseIterable, Sendable {
  case spans = "spans_per_second"
  case bytes = "bytes_per_second"
}

/// A refusal for now: the sender may try again after the time.
public struct TenantRefusal: Sendable, Equatable {
  public let limit: TenantLimit
  public let retryAfter: Duration
}

/// One tenant, as long as the process lives. What is asked of it is asked once a request.
public final class Tenant: Sendable {
  /// Its name.
  public let name: String
  /// Its number in this process, from 1: what is kept of a trace is this.
  public let number: UInt16
  /// What its trace IDs are combined with (`RequestFacts.setApart`).
  public let mask: TraceID

  private struct Allowance {
    var spans: TokenBucket?
    var bytes: TokenBucket?
  }

  private let allowance: Mutex<Allowance>
  private let receivedSpans = AtomicCounter()
  private let refusedSpans = TenantLimit.allCases.map { _ in AtomicCounter() }
  private let refusedRequests = TenantLimit.allCases.map { _ in AtomicCounter() }
  private let clock: @Sendable () -> UInt64

  init(
    name: String, number: UInt16, mask: TraceID, limits: TenantLimits, clock: @escaping @Sendable () -> UInt64
  ) {
    self.name = name
    self.number = number
    self.mask = mask
    self.clock = clock
    let now = clock()
    allowance = Mutex(
      Allowance(
        spans: limits.spansPerSecond.map { TokenBucket(rate: $0, burst: limits.burst, now: now) },
        bytes: limits.bytesPerSecond.map { TokenBucket(rate: $0, burst: limits.burst, now: now) }))
  }

  /// Puts other limits in force; what was sent too much stays so.
  func adopt(_ limits: TenantLimits) {
    let now = clock()
    func changed(_ bucket: TokenBucket?, _ rate: Double?) -> TokenBucket? {
      guard let rate else { return nil }
      guard var bucket else { return TokenBucket(rate: rate, burst: limits.burst, now: now) }
      bucket.adopt(rate: rate, burst: limits.burst, now: now)
      return bucket
    }
    allowance.withLock { allowance in
      allowance.spans = changed(allowance.spans, limits.spansPerSecond)
      allowance.bytes = changed(allowance.bytes, limits.bytesPerSecond)
    }
  }

  /// Why a request is refused that begins now, whatever it holds; counted where it is.
  public func refusal() -> TenantRefusal? {
    let now = clock()
    let refusal = allowance.withLock { Self.refusal(&$0, now) }
    if let refusal { refusedRequests[refusal.limit.place].add() }
    return refusal
  }

  /// Takes in a request of so many spans and bytes, or says why it is refused; counted either way.
  public func take(spans: Int, bytes: Int) -> TenantRefusal? {
    let now = clock()
    let refusal = allowance.withLock { allowance -> TenantRefusal? in
      if let refusal = Self.refusal(&allowance, now) { return refusal }
      allowance.spans?.take(spans, now)
      allowance.bytes?.take(bytes, now)
      return nil
    }
    receivedSpans.add(spans)
    if let refusal {
      refusedRequests[refusal.limit.place].add()
      refusedSpans[refusal.limit.place].add(spans)
    }
    return refusal
  }

  private static func refusal(_ allowance: inout Allowance, _ now: UInt64) -> TenantRefusal? {
    let spans = allowance.spans?.wait(now).map { TenantRefusal(limit: .spans, retryAfter: $0) }
    let bytes = allowance.bytes?.wait(now).map { TenantRefusal(limit: .bytes, retryAfter: $0) }
    guard let spans, let bytes else { return spans ?? bytes }
    return spans.retryAfter >= bytes.retryAfter ? spans : bytes
  }

  // MARK: Counts

  /// Spans of readable requests so far, refused ones included.
  public var received: Int { receivedSpans.value }
  /// Spans that a limit refused so far.
  public func refused(_ limit: TenantLimit) -> Int { refusedSpans[limit.place].value }
  /// Requests that a limit refused so far, those too of which nobody knows the spans.
  public func refusedRequests(_ limit: TenantLimit) -> Int { refusedRequests[limit.place].value }
}

extension TenantLimit {
  fileprivate var place: Int { self == .spans ? 0 : 1 }
}
