/// The batch being built on one event loop. Spans are written straight into its buffer; it is sealed when it has
/// `sendBatchSize` spans, when more would exceed a maximum, or when its first span has waited for `timeout`.
public struct Batcher: Sendable {
  /// What an append added, in all the batches it touched.
  public struct Appended: Sendable, Equatable {
    public var spans: Int
    /// Bytes to charge to the byte budget; a batch gives back `byteCount` when it settles.
    public var bytes: Int

    /// Makes a sum; nothing by default.
    public init(spans: Int = 0, bytes: Int = 0) {
      self.spans = spans
      self.bytes = bytes
    }
  }

  /// What one call of a writer did: spans written, and the index of the first span it did not look at.
  public typealias Written = (written: Int, next: Int)

  /// May be changed at any time (a reload); holds from the next append on.
  public var limits: BatchLimits
  /// The spans in the open batch.
  public private(set) var spanCount = 0
  /// Whose spans they are.
  public let tenant: String?
  private var buffer: [UInt8] = []
  private var owners: [UInt64] = []
  private var deadline = UInt64.max
  private var expectedBytes: Int

  /// Makes an empty batcher; where it is one of many, `expectedBytes` is what it makes room for at first.
  public init(_ limits: BatchLimits, tenant: String? = nil, expectedBytes: Int = 16 << 10) {
    self.limits = limits
    self.tenant = tenant
    self.expectedBytes = expectedBytes
  }

  /// Whether the last spans of the open batch are this owner's.
  public func isOpen(for owner: UInt64) -> Bool { owners.last == owner }
  /// The bytes in the open batch.
  public var byteCount: Int { buffer.count }
  /// When the open batch is due, or nil where it is empty.
  public var nextDeadline: UInt64? { spanCount > 0 ? deadline : nil }
  /// Whether the open batch has waited long enough.
  public func isDue(_ now: UInt64) -> Bool { spanCount > 0 && now >= deadline }

  /// Places the spans `range` of a request, sealing batches as they fill.
  ///
  /// `write` appends spans from the start of the range it is given, at most so many, to the buffer and says how many
  /// it wrote and where it stopped; it may pass over spans that are dropped. It is called again for the rest, and also
  /// for the same spans when what it wrote exceeds the byte cap and was taken back.
  /// - Parameter requestBytes: the request's size, from which the spans that fit are estimated.
  public mutating func append(
    _ range: Range<Int>, requestBytes: Int, owner: UInt64? = nil, now: UInt64, sealed: inout [Batch],
    write: (_ range: Range<Int>, _ limit: Int, _ buffer: inout [UInt8]) -> Written
  ) -> Appended {
    var appended = Appended()
    var rest = range
    var step = fitting(limits.maxBytes, of: range.count, bytes: requestBytes)
    sealIfFull(into: &sealed)  // Limits may have shrunk since.
    while !rest.isEmpty {
      prepareBuffer()
      let before = buffer.count
      let limit = min(step, roomSpans)
      let (written, next) = write(rest, limit, &buffer)
      precondition(
        next > rest.lowerBound && next <= rest.upperBound && (0...limit).contains(written),
        "a writer advances, and not past its range or limit")
      let bytes = buffer.count - before
      if written == 0 {
        buffer.removeLast(bytes)
      } else if buffer.count > limits.maxBytes, before > 0 || written > 1 {
        buffer.removeLast(bytes)
        if before > 0 {
          sealOpen(into: &sealed)
        } else {
          step = min(written - 1, fitting(limits.maxBytes, of: written, bytes: bytes))
        }
        continue
      } else {
        count(written, owner: owner, now: now)
        appended.spans += written
        appended.bytes += bytes
        if bytes < limits.maxBytes / 2 { step = step > Int.max / 2 ? .max : step * 2 }
        sealIfFull(into: &sealed)
      }
      rest = next..<rest.upperBound
    }
    sealIfComplete(into: &sealed)
    return appended
  }

  /// Places whole traces, which are not split: the open batch is sealed first where they would lead it over a maximum,
  /// and what is larger than a maximum goes alone; then the payload is the batch's and is not copied.
  public mutating func append(
    whole payload: [UInt8], spans: Int, owners new: [UInt64] = [], now: UInt64, sealed: inout [Batch]
  ) -> Appended {
    precondition(spans >= 0, "traces have no negative number of spans")
    guard spans > 0 else { return Appended() }
    let appended = Appended(spans: spans, bytes: payload.count)
    if payload.count >= limits.maxBytes {
      sealOpen(into: &sealed)
      sealed.append(Batch(payload: payload, spanCount: spans, tenant: tenant, owners: new))
      return appended
    }
    if spanCount > 0, spans > roomSpans || payload.count > limits.maxBytes - buffer.count { sealOpen(into: &sealed) }
    prepareBuffer()
    buffer.append(contentsOf: payload)
    count(spans, owner: nil, now: now)
    owners.append(contentsOf: new)
    sealIfFull(into: &sealed)
    sealIfComplete(into: &sealed)
    return appended
  }

  /// Closes the open batch; nil where it is empty.
  public mutating func seal() -> Batch? {
    guard spanCount > 0 else { return nil }
    let batch = Batch(payload: buffer, spanCount: spanCount, tenant: tenant, owners: owners)
    expectedBytes = min(max(expectedBytes / 2, buffer.count + buffer.count / 8), limits.maxBytes)
    buffer = []
    owners = []
    spanCount = 0
    deadline = .max
    return batch
  }

  private var roomSpans: Int { limits.sendBatchMaxSize > 0 ? limits.sendBatchMaxSize - spanCount : .max }

  /// How many of so many spans fit into `room` if all were of the same size; at least one.
  private func fitting(_ room: Int, of spans: Int, bytes: Int) -> Int {
    guard bytes > room else { return .max }
    return max(1, Int(Double(spans) * (Double(room) / Double(bytes))))
  }

  private mutating func prepareBuffer() {
    guard spanCount == 0, buffer.capacity == 0 else { return }
    buffer.reserveCapacity(expectedBytes)
  }

  private mutating func count(_ spans: Int, owner: UInt64?, now: UInt64) {
    if spanCount == 0 { deadline = now.later(by: limits.timeout.nanoseconds) }
    spanCount += spans
    if let owner, owners.last != owner { owners.append(owner) }
  }

  private mutating func sealOpen(into sealed: inout [Batch]) {
    if let batch = seal() { sealed.append(batch) }
  }

  private mutating func sealIfFull(into sealed: inout [Batch]) {
    if roomSpans <= 0 || buffer.count >= limits.maxBytes { sealOpen(into: &sealed) }
  }

  private mutating func sealIfComplete(into sealed: inout [Batch]) {
    if spanCount >= limits.sendBatchSize || limits.timeout <= .zero { sealOpen(into: &sealed) }
  }
}
