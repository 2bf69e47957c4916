internal import Delivery
internal import DiskLog
internal import Telemetry
internal import Tenancy

/// A batch as it lies on disk, without its bytes.
struct StoredBatch {
  /// The kind of record that holds a batch.
  static let kind: UInt8 = 1
  private static let version: UInt8 = 1
  /// Of a batch that is a tenant's, whose name stands behind the rest.
  private static let versionOfTenants: UInt8 = 2
  private static let fixedBytes = 14

  /// Where it lies: also its sequence number, which is the same at every try in every life of the relay.
  var address: UInt64
  /// How often the log had been opened when it was written: a disk that forgot what it had promised may use an address twice.
  var epoch: UInt64
  var spanCount: Int
  var byteCount: Int
  /// Where its first span came in.
  var receiver: ReceiverKind
  /// Whose it is.
  var tenant: String?

  /// What is written of a batch besides its bytes.
  static func header(_ batch: Batch, _ receiver: ReceiverKind, epoch: UInt64) -> [UInt8] {
    let spans = UInt32(clamping: batch.spanCount)
    return [batch.tenant == nil ? version : versionOfTenants, UInt8(truncatingIfNeeded: receiver.place)]
      + (0..<4).map { UInt8(truncatingIfNeeded: spans >> ($0 * 8)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: epoch >> (UInt64($0) * 8)) }
      + Array((batch.tenant ?? "").utf8)
  }

  /// Reads an entry; nil where it is of another kind or version.
  init?(_ entry: DiskLogEntry) {
    guard entry.kind == Self.kind, entry.header.count >= Self.fixedBytes,
      let receiver = ReceiverKind(place: Int(entry.header[1]))
    else { return nil }
    switch entry.header[0] {
    case Self.version where entry.header.count == Self.fixedBytes: tenant = nil
    case Self.versionOfTenants:
      guard let name = TenantName.read(entry.header[Self.fixedBytes...]) else { return nil }
      tenant = name
    default: return nil
    }
    address = entry.address
    byteCount = entry.payloadBytes
    spanCount = (0..<4).reduce(0) { $0 | Int(entry.header[2 + $1]) << ($1 * 8) }
    epoch = (0..<8).reduce(0) { $0 | UInt64(entry.header[6 + $1]) << (UInt64($1) * 8) }
    self.receiver = receiver
  }

  init(address: UInt64, epoch: UInt64, _ batch: Batch, _ receiver: ReceiverKind) {
    self.address = address
    self.epoch = epoch
    spanCount = batch.spanCount
    byteCount = batch.asStored.byteCount
    self.receiver = receiver
    tenant = batch.tenant
  }
}

extension ReceiverKind {
  fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  fileprivate init?(place: Int) {
    guard Self.allCases.indices.contains(place) else { return nil }
    self = Self.allCases[place]
  }
}
