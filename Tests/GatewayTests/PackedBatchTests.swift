import Compression
import Delivery
import Testing

@testable import Gateway

@Suite struct PackedBatchTests {
  private let batch = Batch(payload: [UInt8](repeating: 7, count: 1000), spanCount: 3, owners: [1, 2])

  @Test func storedBytesLieBesideThePayloadAndAreCharged() throws {
    let storing = batch.storing(Compressor(.zstd, level: -3))
    let stored = try #require(storing.stored)
    #expect(storing.payload == batch.payload && !storing.isCompressed)
    #expect(storing.byteCount == 1000 + stored.count)
    #expect(try Decompressor().inflate(stored.span.bytes, coding: .zstd, limit: 1000) == batch.payload)
    #expect(storing.asSent.byteCount == 1000)
    #expect(storing.asSent.payload == batch.payload && storing.asSent.stored == nil)
    let alone = storing.asStored
    #expect(alone.payload == stored && alone.isCompressed && alone.stored == nil)
    #expect(alone.spanCount == 3 && alone.owners == [1, 2])
  }

  @Test func whatIsCompressedStaysSo() {
    let compressor = Compressor(.zstd)
    let packed = batch.packed(compressor)
    #expect(packed.isCompressed && packed.byteCount < 1000)
    for again in [packed.packed(compressor), packed.storing(compressor), packed.asStored, packed.asSent] {
      #expect(again.payload == packed.payload && again.isCompressed && again.stored == nil)
    }
    #expect(batch.asStored.payload == batch.payload)
  }

  @Test func aBatchIsReadyWhereItsBytesAreWhatIsSent() {
    #expect(ContentCoding.allCases.filter { batch.isReady(for: $0) } == [.identity])
    let packed = batch.packed(Compressor(.zstd))
    #expect(ContentCoding.allCases.filter { packed.isReady(for: $0) } == [.zstd])
  }
}
