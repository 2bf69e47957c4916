internal import Delivery
internal import DiskLog
internal import Telemetry
internal import TraceWire

/// What is written into the aggregator's journal. Its order is the order in which the shards see things, so reading it
/// again leads to the same traces and the same counts.
enum JournalRecord {
  /// A batch that was accepted: its OTLP request is the record's payload, one zstd frame.
  case batch(JournalledBatch)
  /// Traces that closed, to be exported by the named exporters.
  case closed([TraceID], exporters: [String])
  /// What one exporter is done with.
  case settled([JournalUnit], exporter: String)
  /// Traces that were closed when the batch at this address mentioned them, and whether that brought new spans: what is
  /// known of their closing may go before the batch does.
  case late([TraceID], of: UInt64, isNew: Bool)

  private enum Kind: UInt8 {
    case batch = 1
    case closed = 2
    case settled = 3
    case late = 4
  }

  private static let version: UInt8 = 1

  /// Reads a record's kind and header; nil where they are of another version.
  init?(kind: UInt8, header: [UInt8]) {
    var bytes = ByteReader(header)
    guard let kind = Kind(rawValue: kind), bytes.byte() == Self.version else { return nil }
    switch kind {
    case .batch:
      guard let batch = JournalledBatch(&bytes) else { return nil }
      self = .batch(batch)
    case .closed:
      guard let count = bytes.number(), count < 256 else { return nil }
      var names: [String] = []
      for _ in 0..<count {
        guard let name = bytes.text() else { return nil }
        names.append(name)
      }
      self = .closed(bytes.traceIDs(), exporters: names)
    case .settled:
      guard let name = bytes.text() else { return nil }
      var units: [JournalUnit] = []
      while let high = bytes.number(), let low = bytes.number(), let address = bytes.number() {
        units.append(JournalUnit(trace: TraceID(high: high, low: low), address: address))
      }
      self = .settled(units, exporter: name)
    case .late:
      guard let address = bytes.number(), let isNew = bytes.byte() else { return nil }
      self = .late(bytes.traceIDs(), of: address, isNew: isNew != 0)
    }
  }

  /// The record to be written; the payload is a batch's.
  func record(payload: [UInt8] = []) -> DiskLogRecord {
    var bytes: [UInt8] = [Self.version]
    let kind: Kind
    switch self {
    case .batch(let batch):
      kind = .batch
      batch.append(to: &bytes)
    case .closed(let ids, let names):
      kind = .closed
      bytes.append(number: UInt64(names.count))
      for name in names { bytes.append(text: name) }
      bytes.append(ids)
    case .settled(let units, let name):
      kind = .settled
      bytes.append(text: name)
      for unit in units {
        bytes.append(number: unit.trace.high)
        bytes.append(number: unit.trace.low)
        bytes.append(number: unit.address)
      }
    case .late(let ids, let address, let isNew):
      kind = .late
      bytes.append(number: address)
      bytes.append(isNew ? 1 : 0)
      bytes.append(ids)
    }
    return DiskLogRecord(kind: kind.rawValue, header: bytes, payload: payload)
  }
}

/// What is handed on together: a trace that closed with the record at this address, or spans that came too late for a
/// trace with the batch at this address.
struct JournalUnit: Hashable, Sendable {
  var trace: TraceID
  var address: UInt64
}

/// What is known of an accepted batch besides its spans.
struct JournalledBatch: Sendable {
  /// The region the sender's certificate names.
  var peerRegion: String?
  /// What the relay calls the batch.
  var identity: BatchIdentity?
  /// When it was accepted, in milliseconds since the Unix epoch; 0 where that was not written.
  var acceptedAt: UInt64
  /// Whose it is.
  var tenant: String?

  init(peerRegion: String?, identity: BatchIdentity?, acceptedAt: UInt64, tenant: String? = nil) {
    self.peerRegion = peerRegion
    self.identity = identity
    self.acceptedAt = acceptedAt
    self.tenant = tenant
  }

  /// Nanoseconds since it was accepted; 0 where that is not known or lies in the future.
  func age(at milliseconds: UInt64) -> UInt64 {
    guard acceptedAt > 0, milliseconds > acceptedAt else { return 0 }
    let (age, overflow) = (milliseconds - acceptedAt).multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : age
  }

  fileprivate init?(_ bytes: inout ByteReader) {
    guard let region = bytes.text(), let isNamed = bytes.byte() else { return nil }
    peerRegion = region.isEmpty ? nil : region
    if isNamed == 1 {
      guard let high = bytes.number(), let low = bytes.number(), let epoch = bytes.number(),
        let sequence = bytes.number()
      else { return nil }
      identity = BatchIdentity(
        origin: .init(high: high, low: low, epoch: epoch, region: peerRegion), sequence: sequence)
    }
    acceptedAt = bytes.number() ?? 0
    tenant = bytes.text()
  }

  fileprivate func append(to bytes: inout [UInt8]) {
    bytes.append(text: peerRegion ?? "")
    bytes.append(identity == nil ? 0 : 1)
    if let identity {
      for number in [identity.origin.high, identity.origin.low, identity.origin.epoch, identity.sequence] {
        bytes.append(number: number)
      }
    }
    bytes.append(number: acceptedAt)
    // Nobody's batch is written as it was when there were no tenants.
    if let tenant { bytes.append(text: tenant) }
  }
}

/// Reads the little that a header consists of.
private struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func byte() -> UInt8? { rest.popFirst() }

  /// Eight bytes, the lowest first.
  mutating func number() -> UInt64? {
    guard rest.count >= 8 else { return nil }
    defer { rest.removeFirst(8) }
    return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Trace IDs up to the end.
  mutating func traceIDs() -> [TraceID] {
    var ids: [TraceID] = []
    while let high = number(), let low = number() { ids.append(TraceID(high: high, low: low)) }
    return ids
  }

  mutating func text() -> String? {
    guard let count = number(), count <= UInt64(rest.count) else { return nil }
    defer { rest.removeFirst(Int(count)) }
    return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: UInt64) {
    for shift in 0..<8 { append(UInt8(truncatingIfNeeded: number >> (UInt64(shift) * 8))) }
  }

  fileprivate mutating func append(_ ids: [TraceID]) {
    for id in ids {
      append(number: id.high)
      append(number: id.low)
    }
  }

  fileprivate mutating func append(text: String) {
    append(number: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}
