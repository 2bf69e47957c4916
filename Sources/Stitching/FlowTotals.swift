internal import Telemetry

/// What an aggregator has counted, to be kept on disk: the flows with the names of their labels. What a process counts
/// after it was started again is added to these.
public struct FlowTotals: Sendable, Codable {
  var regions: [LabelName]
  var serviceNames: [LabelName]
  var pairKeys: [RegionPair]
  var edgeKeys: [ServiceEdge]
  var pairs: [PairFlow]
  var edges: [EdgeFlow]
  var services: [ServiceFlow]
  var closed: [UInt64]
  var unmatchedEntries: [UInt64]
  var lateSpans: [UInt64]
  var earlyClosings: [UInt64]
  var duplicates: UInt64
  var overBudget: UInt64

  /// The totals of all shards together.
  public init(_ snapshot: FlowSnapshot) {
    regions = snapshot.regions
    serviceNames = snapshot.services
    pairKeys = snapshot.pairKeys
    edgeKeys = snapshot.edgeKeys
    pairs = snapshot.pairs
    edges = snapshot.edges
    services = snapshot.serviceFlows
    closed = (0..<4).map { snapshot.closed[$0] }
    unmatchedEntries = snapshot.unmatchedEntries
    lateSpans = snapshot.lateSpans
    earlyClosings = snapshot.earlyClosings
    duplicates = snapshot.duplicates
    overBudget = snapshot.overBudget
  }

  /// The totals as a snapshot with the label numbers of this process, to be merged with its shards' snapshots.
  /// Names past this process's caps become one; histograms with other buckets than configured now begin at zero.
  public func snapshot(names: FlowNames, limits: FlowLimits) -> FlowSnapshot {
    FlowSnapshot(self, names: names, empty: Histogram(upperBounds: limits.durationBuckets))
  }

  /// The flows under other numbers.
  struct Renumbered {
    var pairs: [PairFlow] = []
    var edges: [EdgeFlow] = []
    var services: [ServiceFlow] = []
    var unmatchedEntries: [UInt64] = []
    var lateSpans: [UInt64] = []
  }

  func renumbered(names: FlowNames, empty: Histogram) -> Renumbered {
    let regionNumbers = Numbers(regions, names.regions)
    let serviceNumbers = Numbers(serviceNames, names.services)
    let pairNumbers = Numbers(pairKeys.map { $0.renumbered(regionNumbers) }, names.pairs)
    let edgeNumbers = Numbers(
      edgeKeys.map { edge in
        ServiceEdge(
          client: serviceNumbers[Int(edge.client)], server: serviceNumbers[Int(edge.server)],
          regions: edge.regions.renumbered(regionNumbers))
      }, names.edges)
    let noPair = PairFlow(client: empty, server: empty, network: empty)
    let noEdge = EdgeFlow(client: empty, server: empty)
    let noService = ServiceFlow(duration: empty)
    return Renumbered(
      pairs: pairNumbers.place(pairs, on: noPair) { $0.merge($1.fitting(empty)) },
      edges: edgeNumbers.place(edges, on: noEdge) { $0.merge($1.fitting(empty)) },
      services: serviceNumbers.place(services, on: noService) { $0.merge($1.fitting(empty)) },
      unmatchedEntries: regionNumbers.place(unmatchedEntries, on: 0) { $0 &+= $1 },
      lateSpans: regionNumbers.place(lateSpans, on: 0) { $0 &+= $1 })
  }
}

/// The numbers that keys have here, by the numbers they had.
private struct Numbers {
  private let here: [UInt32]

  init<Key: Interned>(_ keys: [Key], _ table: InternTable<Key>) {
    here = [0] + keys.map { table.number(of: $0) ?? 0 }
  }

  subscript(_ number: Int) -> UInt32 { here.indices.contains(number) ? here[number] : 0 }

  /// The values by the keys' numbers here.
  func place<Value>(_ values: [Value], on empty: Value, _ add: (inout Value, Value) -> Void) -> [Value] {
    var placed: [Value] = []
    for (number, value) in values.enumerated() {
      let place = Int(self[number])
      while placed.count <= place { placed.append(empty) }
      add(&placed[place], value)
    }
    return placed
  }
}

extension RegionPair {
  fileprivate func renumbered(_ regions: Numbers) -> RegionPair {
    RegionPair(
      source: UInt16(truncatingIfNeeded: regions[Int(source)]), target: UInt16(truncatingIfNeeded: regions[Int(target)])
    )
  }
}

extension Histogram {
  /// This one, or an empty one where its buckets are others.
  fileprivate func fitting(_ empty: Histogram) -> Histogram {
    upperBounds == empty.upperBounds && counts.count == empty.counts.count ? self : empty
  }
}

extension PairFlow {
  fileprivate func fitting(_ empty: Histogram) -> PairFlow {
    var flow = self
    flow.client = client.fitting(empty)
    flow.server = server.fitting(empty)
    flow.network = network.fitting(empty)
    return flow
  }
}

extension EdgeFlow {
  fileprivate func fitting(_ empty: Histogram) -> EdgeFlow {
    var flow = self
    flow.client = client.fitting(empty)
    flow.server = server.fitting(empty)
    return flow
  }
}

extension ServiceFlow {
  fileprivate func fitting(_ empty: Histogram) -> ServiceFlow {
    var flow = self
    flow.duration = duration.fitting(empty)
    return flow
  }
}
