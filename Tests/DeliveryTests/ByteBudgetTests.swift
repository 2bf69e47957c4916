import Delivery
import Telemetry
import Testing

@Suite struct ByteBudgetTests {
  @Test func reservesUpToTheSoftLimitAndNotOneByteMore() {
    let budget = ByteBudget(limit: 100, spike: 20)
    #expect(budget.softLimit == 80)
    #expect(budget.reserve(79))
    #expect(!budget.isOverSoftLimit)
    #expect(!budget.reserve(2))
    #expect(budget.reserve(1))
    #expect(budget.isOverSoftLimit)
    #expect(!budget.reserve(1))
    #expect(budget.reserve(0))
    #expect(budget.used == 80)
    #expect(budget.refusals == 2)
    budget.release(80)
    #expect(budget.used == 0)
    #expect(budget.peak == 80)
  }

  @Test func rechargesWhateverTheLimitSays() {
    let budget = ByteBudget(limit: 100)
    budget.reserveUnchecked(60)
    budget.recharge(from: 60, to: 130)
    #expect(budget.used == 130)
    budget.recharge(from: 130, to: 10)
    #expect(budget.used == 10)
    budget.recharge(from: 10, to: 10)
    #expect(budget.used == 10)
    #expect(budget.peak == 130)
  }

  @Test func uncheckedGoesOverEveryLimitAndNeverOverflows() {
    let budget = ByteBudget(limit: 100, spike: 20)
    budget.reserveUnchecked(150)
    #expect(budget.used == 150)
    #expect(!budget.reserve(0))
    budget.reserveUnchecked(.max)
    #expect(budget.used == .max)
    #expect(!budget.reserve(.max))
    #expect(budget.peak == .max)
  }

  @Test func whatNobodyChargedIsNotFree() {
    let budget = ByteBudget(limit: 128 << 20, spike: 28 << 20)
    #expect(budget.reserve(20 << 20))
    budget.note(residentBytes: 50 << 20)
    #expect(budget.uncharged == 30 << 20)
    #expect(budget.reserve(50 << 20))
    #expect(!budget.reserve(1))
    #expect(budget.isOverSoftLimit && budget.used == 70 << 20)
    // What is charged and not touched yet hides nothing.
    budget.note(residentBytes: 60 << 20)
    #expect(budget.uncharged == 30 << 20)
    // A quarter stays, whatever the process occupies.
    budget.release(70 << 20)
    budget.note(residentBytes: 1 << 40)
    #expect(budget.uncharged == 75 << 20)
    #expect(budget.isUnchargedLarge)
    #expect(budget.reserve(25 << 20))
    #expect(!budget.reserve(1))
  }

  @Test func aSmallLimitIsForWhatIsChargedAlone() {
    let least = ByteBudget.watchedLimitMin
    for (limit, uncharged) in [(least - 1, 0), (least, 1000)] {
      let budget = ByteBudget(limit: limit)
      budget.note(residentBytes: 1000)
      #expect(budget.uncharged == uncharged)
    }
  }

  @Test func hugeReservationIsRefused() {
    let budget = ByteBudget(limit: .max, spike: 0)
    #expect(budget.reserve(1))
    #expect(!budget.reserve(.max))
    #expect(budget.used == 1)
  }

  @Test func spikeAboveTheLimitLeavesNoRoom() {
    let budget = ByteBudget(limit: 10, spike: 20)
    #expect(budget.softLimit == 0)
    #expect(!budget.reserve(1))
  }

  @Test func whatIsLargerThanTheBudgetIsAdmittedAlone() {
    let budget = ByteBudget(limit: 10)
    #expect(budget.admit(11))
    #expect(!budget.admit(11))
    #expect(!budget.admit(1))
    budget.release(11)
    #expect(budget.admit(1))
    #expect(!budget.admit(11))
    #expect(budget.admit(9))
    #expect(!budget.admit(1))
  }

  @Test func resizeHoldsForWhatComes() {
    let budget = ByteBudget(limit: 10)
    #expect(budget.reserve(10))
    budget.resize(limit: 20, spike: 5)
    #expect(budget.reserve(5))
    #expect(!budget.reserve(1))
    budget.resize(limit: 4)
    #expect(budget.used == 15)
    #expect(!budget.reserve(0))
  }

  @Test func threadsTogetherNeverExceedTheSoftLimit() async {
    let budget = ByteBudget(limit: 1000, spike: 100)
    await withTaskGroup(of: Void.self) { group in
      for task in 1...4 {
        group.addTask { @concurrent in
          for _ in 0..<20_000 where budget.reserve(task * 100) { budget.release(task * 100) }
        }
      }
    }
    #expect(budget.used == 0)
    #expect(budget.peak <= 900)
    #expect(budget.peak >= 400)
  }

  @Test func showsItself() {
    let budget = ByteBudget(limit: 10, spike: 4)
    _ = budget.reserve(5)
    _ = budget.reserve(5)
    let families = budget.metricFamilies()
    var numbers: [String: Double] = [:]
    for family in families {
      guard case .number(let number)? = family.samples.first?.value else { continue }
      numbers[family.name] = number
    }
    #expect(
      numbers == [
        "longspan_memory_used_bytes": 5, "longspan_memory_peak_bytes": 5, "longspan_memory_soft_limit_bytes": 6,
        "longspan_memory_limit_bytes": 10, "longspan_memory_refusals_total": 1, "longspan_memory_resident_bytes": 0,
        "longspan_memory_uncharged_bytes": 0,
      ])
  }
}
