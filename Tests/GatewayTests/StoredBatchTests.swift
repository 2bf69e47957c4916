import Delivery
import Telemetry
import Testing

@testable import DiskLog
@testable import Gateway

/// What is written of a batch in the relay's queue on disk.
@Suite struct StoredBatchTests {
  private func read(_ header: [UInt8], kind: UInt8 = StoredBatch.kind) -> StoredBatch? {
    StoredBatch(DiskLogEntry(address: 9, kind: kind, header: header, payloadBytes: 77))
  }

  /// Bytes that relays wrote before there were tenants are read, and written, as they were.
  @Test func nobodysBatchesAreAsEver() throws {
    let header: [UInt8] = [1, 2, 0x15, 0xcd, 0x5b, 0x07, 3, 0, 0, 0, 0, 0, 0, 0]
    let batch = try #require(read(header))
    #expect(batch.spanCount == 123_456_789 && batch.epoch == 3 && batch.receiver == .zipkin && batch.tenant == nil)
    #expect(batch.address == 9 && batch.byteCount == 77)
    #expect(StoredBatch.header(Batch(payload: [], spanCount: 123_456_789), .zipkin, epoch: 3) == header)
  }

  @Test(arguments: ["a", "Team.B", String(repeating: "x", count: 150)]) func tenantsAreReadBack(_ name: String) throws {
    let header = StoredBatch.header(Batch(payload: [], spanCount: 5, tenant: name), .otlpHTTP, epoch: 1 << 40)
    let batch = try #require(read(header))
    #expect(batch.tenant == name && batch.spanCount == 5 && batch.epoch == 1 << 40 && batch.receiver == .otlpHTTP)
  }

  @Test func whatIsNoBatchIsNone() {
    let good = StoredBatch.header(Batch(payload: [], spanCount: 5, tenant: "a"), .otlpGRPC, epoch: 1)
    #expect(read(good, kind: 2) == nil)
    for length in 0..<good.count { #expect(read(Array(good.prefix(length))) == nil) }
    #expect(read([3] + good.dropFirst()) == nil && read([1] + good.dropFirst()) == nil)
    #expect(read(good + Array("/..".utf8)) == nil && read(good + [0x80]) == nil)
  }
}
