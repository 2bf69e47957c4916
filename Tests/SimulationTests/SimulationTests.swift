import Testing

/// Seeds of the whole federation. `LONGSPAN_SEEDS=FIRST-LAST` plays others than the usual ones; a failing one says so.
@Suite struct SimulationTests {
  @Test(arguments: 0..<4 as Range<UInt64>)
  func everythingIsAccountedFor(part: UInt64) {
    var tally: [String: Int] = [:]
    for seed in Seeds.chosen where seed % 4 == part {
      let federation = Federation(seed: seed)
      federation.run()
      #expect(federation.world.faults.isEmpty, "seed \(seed)")
      tally.merge(federation.tally, uniquingKeysWith: +)
    }
    if !Seeds.areUsual, part == 0 { print(tally) }
    guard Seeds.areUsual else { return }
    // A simulation in which nothing goes wrong proves nothing.
    for (what, count) in tally where what != "aggregator refusals" { #expect(count > 0, "no \(what) in any seed") }
  }
}
