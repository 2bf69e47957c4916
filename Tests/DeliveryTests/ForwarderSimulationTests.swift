import Delivery
import Telemetry
import Testing

@Suite struct ForwarderSimulationTests {
  /// Through every trouble, and once the world has healed everything is settled.
  @Test(arguments: 0..<150) func everyBatchSettlesOnce(seed: UInt64) {
    var simulation = ForwarderSimulation(seed: seed)
    simulation.schedule(batches: 60, over: 60 * second)
    simulation.play(until: 120 * second)
    simulation.trouble = 0
    simulation.schedule(batches: 20, over: second)
    simulation.play(until: 400 * second)
    #expect(simulation.faults.isEmpty, "seed \(seed)")
    #expect(simulation.forwarder.queue.isEmpty, "seed \(seed): \(simulation.forwarder.queue.count) held")
    #expect(simulation.capacity.used == 0, "seed \(seed)")
    #expect(simulation.forwarder.queue.settled.through == UInt64(simulation.accepted), "seed \(seed)")
    #expect(simulation.forwarder.queue.settled.ranges.isEmpty, "seed \(seed)")
  }

  @Test(arguments: 150..<250) func drainEndsByItsDeadlineWithEverythingAccountedFor(seed: UInt64) {
    var simulation = ForwarderSimulation(seed: seed)
    simulation.schedule(batches: 60, over: 30 * second)
    simulation.play(until: 30 * second)
    simulation.drain(by: 40 * second)
    simulation.play(until: 40 * second)
    #expect(simulation.isDrained != nil, "seed \(seed)")
    #expect(simulation.isDrained == simulation.forwarder.queue.count, "seed \(seed)")
    simulation.abandon()
    #expect(simulation.faults.isEmpty, "seed \(seed)")
    #expect(simulation.ledger.held(.queue) == 0, "seed \(seed)")
    #expect(simulation.capacity.used == 0, "seed \(seed)")
  }

  /// The runs together reach what they are there for.
  @Test func runsSeeEveryKindOfTrouble() {
    var retries = 0
    var gaveUp = 0
    var refused = 0
    for seed in 0..<40 as Range<UInt64> {
      var simulation = ForwarderSimulation(seed: seed)
      simulation.schedule(batches: 60, over: 60 * second)
      simulation.play(until: 120 * second)
      retries += simulation.retriesSeen
      gaveUp += simulation.gaveUp
      refused += simulation.refusedBatches
    }
    #expect(retries > 500)
    #expect(gaveUp > 10)
    #expect(refused > 20)
  }
}
