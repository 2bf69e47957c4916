import Delivery
import Telemetry
import Testing

@Suite struct HandedOnTests {
  @Test func leavesOnceWhenTheLastExporterIsDone() {
    let account = HandedOn(spanCount: 10, bytes: 100, exporters: 3)
    #expect(account.settle(undeliverable: 0) == nil)
    #expect(account.settle(undeliverable: 0) == nil)
    #expect(account.pending == 1)
    #expect(account.settle(undeliverable: 0) == Departure(forwarded: 10, undeliverable: 0, bytes: 100))
  }

  @Test func whatAnyExporterLostIsUndeliverable() {
    let account = HandedOn(spanCount: 10, bytes: 100, exporters: 3)
    _ = account.settle(undeliverable: 3)
    _ = account.settle(undeliverable: 5)
    #expect(account.settle(undeliverable: -1) == Departure(forwarded: 5, undeliverable: 5, bytes: 100))
    let lost = HandedOn(spanCount: 10, bytes: 100, exporters: 2)
    _ = lost.settle(undeliverable: .max)
    #expect(lost.settle(undeliverable: 0) == Departure(forwarded: 0, undeliverable: 10, bytes: 100))
  }

  @Test func settlementsBookOnce() {
    let ledger = SpanLedger()
    let budget = ByteBudget(limit: 1000)
    let batch = Batch(payload: [1, 2, 3], spanCount: 10)
    #expect(budget.reserve(3))
    ledger.held(10, in: .queue)
    Settlement(sequence: 0, batch: batch, cause: .delivered(rejected: 4)).book(in: ledger, releasing: budget)
    #expect(ledger.left(.forwarded) == 6)
    #expect(ledger.left(.undeliverable) == 4)
    #expect(ledger.held(.queue) == 0)
    #expect(budget.used == 0)

    let shared = Batch(
      payload: [1], spanCount: 5, handedOn: HandedOn(spanCount: 5, bytes: 1, exporters: 2))
    budget.reserveUnchecked(1)
    ledger.held(5, in: .queue)
    Settlement(sequence: 0, batch: shared, cause: .delivered(rejected: 0)).book(in: ledger, releasing: budget)
    #expect(ledger.held(.queue) == 5)
    #expect(budget.used == 1)
    Settlement(sequence: 7, batch: shared, cause: .gaveUp).book(in: ledger, releasing: budget)
    #expect(ledger.held(.queue) == 0)
    #expect(ledger.left(.forwarded) == 6)
    #expect(ledger.left(.undeliverable) == 4)
    #expect(ledger.left(.expired) == 5)
    #expect(budget.used == 0)
  }

  @Test func timeTakesOnlyWhatRefusalsLeft() {
    let account = HandedOn(spanCount: 5, bytes: 1, exporters: 3)
    #expect(account.settle(undeliverable: 0, expired: 5) == nil)
    #expect(account.settle(undeliverable: 3) == nil)
    #expect(
      account.settle(undeliverable: 0) == Departure(forwarded: 0, undeliverable: 3, expired: 2, bytes: 1))
  }

  @Test func aPeerCannotRejectMoreThanItGot() {
    let batch = Batch(payload: [1], spanCount: 5)
    let settlement = Settlement(sequence: 0, batch: batch, cause: .delivered(rejected: .max))
    #expect(settlement.forwarded == 0)
    #expect(settlement.undeliverable == 5)
    for cause in [Settlement.Cause.refused(code: 3), .gaveUp, .abandoned] {
      #expect(Settlement(sequence: 0, batch: batch, cause: cause).undeliverable == 5)
    }
  }
}
