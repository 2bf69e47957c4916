import Delivery
import Testing

@Suite struct TenantBatcherTests {
  /// What a tenant's spans consist of: nothing else may lie in its batches.
  private func byte(of tenant: String?) -> UInt8 { tenant.flatMap { $0.utf8.last } ?? 0 }

  private func write(_ byte: UInt8) -> (Range<Int>, Int, inout [UInt8]) -> Batcher.Written {
    { range, limit, buffer in
      let count = min(range.count, limit)
      buffer.append(contentsOf: repeatElement(byte, count: count * 3))
      return (count, range.lowerBound + count)
    }
  }

  /// Whatever is placed in whatever order, and whenever batches are sealed: each batch is of one tenant, and each tenant
  /// gets back what it gave.
  @Test(arguments: 1...30 as ClosedRange<UInt64>) func batchesNeverMix(_ seed: UInt64) {
    var random = SeededRandom(seed)
    let tenants: [String?] =
      [nil] + (0..<Int.random(in: 1...100, using: &random)).map { "tenant \(UnicodeScalar(UInt8(33 + $0)))" }
    var batcher = TenantBatcher(
      BatchLimits(
        timeout: .milliseconds(100), sendBatchSize: Int.random(in: 1...50, using: &random),
        sendBatchMaxSize: Int.random(in: 50...80, using: &random), maxBytes: Int.random(in: 60...400, using: &random)))
    var (sealed, now): ([Batch], UInt64) = ([], 0)
    var (given, owners): ([String?: Int], [UInt64: String?]) = ([:], [:])
    for step in 0..<500 as Range<UInt64> {
      let tenant = tenants.randomElement(using: &random) ?? nil
      let spans = Int.random(in: 1...40, using: &random)
      owners[step] = .some(tenant)
      var appended: Batcher.Appended
      if random.chance(0.5) {
        appended = batcher.append(
          0..<spans, requestBytes: spans * 3, tenant: tenant, owner: step, now: now, sealed: &sealed,
          write: write(byte(of: tenant)))
      } else {
        appended = batcher.append(
          whole: [UInt8](repeating: byte(of: tenant), count: spans * 3), spans: spans, tenant: tenant, owners: [step],
          now: now, sealed: &sealed)
      }
      #expect(appended == Batcher.Appended(spans: spans, bytes: spans * 3), "seed \(seed)")
      let isPlaced = batcher.isOpen(for: step, tenant: tenant) || sealed.contains { $0.owners.contains(step) }
      #expect(isPlaced, "seed \(seed)")
      given[tenant, default: 0] += spans
      now += UInt64.random(in: 0...20, using: &random) * millisecond
      let isDue = batcher.nextDeadline.map { $0 <= now } ?? false
      let due = batcher.sealDue(now)
      #expect(due.isEmpty != isDue, "seed \(seed)")
      sealed += due
      if random.chance(0.01) { sealed += batcher.seal() }
      if random.chance(0.01) { batcher.limits.sendBatchSize = Int.random(in: 1...50, using: &random) }
    }
    sealed += batcher.seal()
    #expect(batcher.nextDeadline == nil && batcher.spanCount == 0 && batcher.seal().isEmpty)
    var got: [String?: Int] = [:]
    for batch in sealed {
      #expect(batch.payload.allSatisfy { $0 == byte(of: batch.tenant) }, "seed \(seed)")
      #expect(batch.payload.count == batch.spanCount * 3, "seed \(seed)")
      #expect(batch.owners.allSatisfy { owners[$0] == .some(batch.tenant) }, "seed \(seed)")
      got[batch.tenant, default: 0] += batch.spanCount
    }
    #expect(got == given, "seed \(seed)")
  }

  @Test func theFirstDeadlineCounts() {
    var batcher = TenantBatcher(BatchLimits(timeout: .milliseconds(100)))
    var sealed: [Batch] = []
    #expect(batcher.nextDeadline == nil)
    for (number, tenant) in ["b", nil, "a"].enumerated() {
      _ = batcher.append(whole: [1], spans: 1, tenant: tenant, now: UInt64(number) * millisecond, sealed: &sealed)
    }
    #expect(batcher.nextDeadline == 100 * millisecond)
    #expect(batcher.sealDue(100 * millisecond).map(\.tenant) == ["b"])
    #expect(batcher.nextDeadline == 101 * millisecond)
    #expect(Set(batcher.sealDue(200 * millisecond).map(\.tenant)) == [nil, "a"])
  }
}
