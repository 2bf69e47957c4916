import Foundation
import Testing

@testable import Scale

/// The smallest numbers that carry a load.
@Suite struct ScaleSizingTests {
  /// A tenth of a million spans a second, and a short look at them.
  static var brief: Deployment {
    var brief = Deployment()
    brief.spansPerSecond = 1e5
    brief.idleTimeout = 1
    brief.exportDelay = 0.5
    brief.seconds = 5
    brief.watched = 1
    return brief
  }

  static var costs: Costs {
    get throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      return try JSONDecoder().decode(Costs.self, from: Data(contentsOf: root.appending(path: "loadtest/costs.json")))
    }
  }

  /// Ten times the time for each span: as many cores for a tenth of the spans.
  static var dear: Costs {
    get throws {
      var dear = try costs
      dear.relay.allKept *= 10
      dear.relay.tenthKept *= 10
      dear.relay.allKeptZstd *= 10
      dear.aggregator.counted *= 10
      dear.aggregator.exported *= 10
      return dear
    }
  }

  @Test func costsLieOnTheMeasuredLine() throws {
    let costs = try Self.costs
    let zstd = costs.relay.allKeptZstd - costs.relay.allKept
    #expect(abs((costs.receiving + costs.sending) * 1e6 - costs.relay.allKeptZstd) < 1e-9)
    #expect(abs((costs.receiving + 0.1 * costs.sending) * 1e6 - costs.relay.tenthKept - 0.1 * zstd) < 1e-9)
    #expect(costs.receiving > 0 && costs.sending > 0)
    let five = costs.bytes.liveTrace + 5 * costs.spanBytes(exported: true)
    #expect(abs(five - 5 * costs.bytes.heldSpan) < 1e-9)
    #expect(costs.spanBytes(exported: false) < costs.spanBytes(exported: true))
  }

  @Test func theSameSeedGivesTheSameRow() throws {
    let costs = try Self.dear
    var deployment = Self.brief
    let row = try Sizing(deployment, costs).run()
    #expect(try Sizing(deployment, costs).run().line == row.line)
    deployment.seed = 2
    #expect(try Sizing(deployment, costs).run().aggregator.liveTracesEach != row.aggregator.liveTracesEach)
    let columns = ScaleRow.head.split(separator: "\n").map { $0.split(separator: "|").count }
    #expect(columns == [12, 12] && row.line.split(separator: "|").count == 12)
  }

  @Test func whatIsLeftCarriesTheLoad() throws {
    let costs = try Self.dear
    var deployment = Self.brief
    deployment.spansPerSecond = 1e6
    deployment.cores = 4
    let row = try Sizing(deployment, costs).run()
    #expect(row.relays.count == 5 && row.relays.allSatisfy { $0.machines >= 2 && $0.coresEach <= 4 })
    #expect(row.relays.map(\.machines) == row.relays.map(\.machines).sorted(by: >))
    let left = (row.aggregator.machines - 1) * row.aggregator.shardsEach
    #expect(Double(left) * deployment.allowedLoad >= costs.aggregator.exported)
    #expect(row.aggregator.p99 <= deployment.waitMax && row.relays.allSatisfy { $0.p99 <= deployment.waitMax })
    #expect(row.aggregator.spansPerSecondMax > 1e6)
  }

  @Test func burstsTailsAndLittleRoomNeedMore() throws {
    let costs = try Self.dear
    var calm = Self.brief
    calm.burstiness = 0
    calm.burstSeconds = 0.5
    calm.seconds = 20
    calm.allowedLoad = 0.95
    var bursty = calm
    bursty.burstiness = 1
    let small = try Sizing(calm, costs).run()
    var narrow = calm
    narrow.memoryGiB = small.aggregator.memoryGiBEach / 2
    let (large, many) = (try Sizing(bursty, costs).run(), try Sizing(narrow, costs).run())
    let shards = [small, large, many].map { ($0.aggregator.machines - 1) * $0.aggregator.shardsEach }
    #expect(shards[1] > shards[0] && shards[2] > shards[0], "\(shards)")
    #expect(many.aggregator.memoryGiBEach <= narrow.memoryGiB)
    #expect(many.aggregator.recoveryGiBEach < narrow.memoryGiB * 1.001)
    narrow.memoryGiB = 0.01
    #expect(throws: Sizing.Unreachable.self) { try Sizing(narrow, costs).run() }
  }

  @Test func theSmallestNumberIsFound() {
    for wanted in [1, 2, 9, 10, 137, 6400] {
      for lower in [1, 100] {
        var tried = 0
        let found = Sizing.smallest(from: lower) { number in
          tried += 1
          return number >= wanted
        }
        guard wanted <= lower * 64 else { continue }
        let least = max(wanted, lower)
        #expect(found.map { $0 >= least && $0 - least <= max(0, least / 99) } == true, "\(wanted) from \(lower)")
        #expect(tried < 60)
      }
    }
    #expect(Sizing.smallest(from: 3) { _ in false } == nil)
  }

  /// What came in 60 s goes with the capacity that is left: 60 s times load / (1 - load).
  @Test(arguments: [0.5, 0.8]) func queuesDrainWithWhatIsLeft(load: Double) throws {
    let costs = try Self.dear
    var deployment = ScaleQueueTests.plain
    let capacity = 2e6
    deployment.spansPerSecond = load * capacity
    let report = Outage.run(deployment, costs, lanes: [1000], capacity: capacity)
    #expect(ScaleQueueTests.isNear(report.peaks[0], 60 * deployment.spansPerSecond, within: 0.01))
    let recovery = try #require(report.recovery)
    #expect(ScaleQueueTests.isNear(recovery, 60 * load / (1 - load), within: 0.01))
    // Relays that hardly keep up with what comes are what it takes longest for.
    let lanes = Int((deployment.spansPerSecond * (costs.receiving + costs.sending) * 1.05).rounded(.up))
    let slow = Outage.run(deployment, costs, lanes: [lanes], capacity: capacity)
    #expect(try #require(slow.recovery) > recovery)
    #expect(Outage.run(deployment, costs, lanes: [1000], capacity: load * capacity * 0.99).recovery == nil)
  }

  @Test func nonsenseIsRefused() {
    #expect(Deployment().complaint == nil)
    let wrong: [(inout Deployment) -> Void] = [
      { $0.kept = 0 }, { $0.kept = 1.5 }, { $0.regions = 0 }, { $0.tailIndex = 1 }, { $0.largestTrace = 20 },
      { $0.spansPerSecond = .infinity }, { $0.spansPerSecond = .nan }, { $0.burstiness = -1 }, { $0.allowedLoad = 1 },
      { $0.spansPerConnection = 1e-3 }, { $0.cores = 0 }, { $0.spansPerProcess = 0.1 }, { $0.outage = 1e9 },
    ]
    for change in wrong {
      var deployment = Deployment()
      change(&deployment)
      #expect(deployment.complaint != nil)
    }
  }
}
