import Delivery
import TraceWire

@testable import Gateway

/// What an aggregator with a journal must know, in memory and without cleverness: it is told what was written, in the
/// log's order, and what the world has seen; what does not fit is a fault.
struct JournalModel {
  /// A span and the entries of the journal that hold it.
  struct Held {
    var span: ModelSpan
    var entries: Set<UInt64>
  }

  struct Trace {
    var isLive = true
    var spans: [UInt64: Held] = [:]
    /// The entries that mention it.
    var mentions: Set<UInt64> = []
    var pairs: Set<String> = []
  }

  /// What is handed on together, and to whom it is still owed.
  struct Handed {
    var spans: [ModelSpan.Key]
    var owedTo: Set<Int>
  }

  let exporters: [String]
  private(set) var traces: [TraceID: Trace] = [:]
  private(set) var handed: [JournalUnit: Handed] = [:]
  /// What each entry that is there holds.
  private(set) var entries: [UInt64: ModelBatch] = [:]
  private(set) var identities: Set<BatchIdentity> = []
  private(set) var bodies: Set<[UInt8]> = []
  /// The metrics' values by name and labels.
  private(set) var flows: [String: Double] = [:]
  /// What each exporter may still be sent in this life, and how often.
  private var owed: [[ModelSpan.Key: Int]]
  /// What each exporter's back end has taken, or refused for good.
  private(set) var delivered: [Set<ModelSpan.Key>]
  private(set) var faults: [String] = []

  init(exporters: [String]) {
    self.exporters = exporters
    owed = exporters.map { _ in [:] }
    delivered = exporters.map { _ in [] }
  }

  var liveSpans: Int { traces.values.reduce(0) { $0 + ($1.isLive ? $1.spans.count : 0) } }
  var liveTraces: Int { traces.values.count { $0.isLive } }
  var closedTraces: Set<TraceID> { Set(traces.filter { !$0.value.isLive }.keys) }
  /// Spans that were handed on and are not settled with every exporter.
  var owedSpans: Int { handed.values.reduce(0) { $0 + ($1.owedTo.isEmpty ? 0 : $1.spans.count) } }

  private mutating func fault(_ text: String) { if faults.count < 5 { faults.append(text) } }

  // MARK: What is written

  /// A batch that was accepted.
  mutating func write(_ batch: ModelBatch, at address: UInt64) {
    if let identity = batch.identity, !identities.insert(identity).inserted {
      fault("batch \(identity.sequence) of relay \(identity.origin.low) was taken in twice")
    }
    bodies.insert(batch.body)
    entries[address] = batch
    for span in batch.spans { take(span, of: address) }
  }

  private mutating func take(_ span: ModelSpan, of address: UInt64) {
    var trace = traces[span.trace] ?? Trace()
    trace.mentions.insert(address)
    defer { traces[span.trace] = trace }
    if trace.spans[span.id] != nil {
      trace.spans[span.id]?.entries.insert(address)
      return count("stitching_duplicate_spans_total")
    }
    trace.spans[span.id] = Held(span: span, entries: [address])
    if let parent = trace.spans[span.parent]?.span { cross(parent, span, &trace) }
    for child in trace.spans.values where child.span.parent == span.id { cross(span, child.span, &trace) }
    guard !trace.isLive else { return }
    count("stitching_late_spans_total", span.region)
    let unit = JournalUnit(trace: span.trace, address: address)
    handed[unit, default: Handed(spans: [], owedTo: Set(exporters.indices))].spans.append(span.key)
    owe(span.key, to: exporters.indices)
  }

  private mutating func cross(_ parent: ModelSpan, _ child: ModelSpan, _ trace: inout Trace) {
    guard parent.region != child.region else { return }
    let isFirst = trace.pairs.insert("\(parent.region) \(child.region)").inserted
    count("region_flow_requests_total", parent.region, child.region)
    if isFirst { count("trace_count", parent.region, child.region) }
  }

  /// Traces that close.
  mutating func write(closing ids: [TraceID], exporters names: [String], at address: UInt64) {
    for id in ids {
      guard var trace = traces[id], trace.isLive else { continue }
      trace.isLive = false
      traces[id] = trace
      let spans = trace.spans.values.map(\.span)
      let open = spans.filter { $0.parent != 0 && trace.spans[$0.parent] == nil }
      for span in open { count("stitching_unmatched_entries_total", span.region) }
      let isComplete = open.isEmpty && spans.count { $0.parent == 0 } == 1
      let isLocal = Set(spans.map(\.region)).count == 1
      count("stitching_traces_total", isLocal ? "local" : "cross_region", "\(isComplete)")
      count("trace_duration_seconds", "shop")
      let places = exporters.indices.filter { names.contains(exporters[$0]) }
      handed[JournalUnit(trace: id, address: address)] = Handed(spans: spans.map(\.key), owedTo: Set(places))
      for span in spans { owe(span.key, to: places) }
    }
  }

  /// What an exporter is done with.
  mutating func write(settled units: [JournalUnit], by name: String) {
    guard let place = exporters.firstIndex(of: name) else { return fault("\(name) is no exporter") }
    for unit in units {
      guard let known = handed[unit] else {
        // Of a batch with late spans all its closed traces are settled, also those whose spans all were here before.
        if entries[unit.address] == nil { fault("\(unit) was settled and never handed on") }
        continue
      }
      if !known.owedTo.contains(place) { fault("\(unit) was settled twice by \(name)") }
      if !delivered[place].isSuperset(of: known.spans) { fault("\(unit) was settled by \(name), which never had it") }
      handed[unit]?.owedTo.remove(place)
    }
  }

  private mutating func count(_ labels: String...) { flows[labels.joined(separator: "|"), default: 0] += 1 }

  private mutating func owe(_ span: ModelSpan.Key, to places: some Sequence<Int>) {
    for place in places { owed[place][span, default: 0] += 1 }
  }

  // MARK: What the world sees

  /// What was exported in a life, all that was written in it being known.
  mutating func see(_ exports: some Sequence<JournalWitness.Export>) {
    for export in exports {
      for span in export.spans {
        let isOwed = (owed[export.exporter][span] ?? 0) > 0
        if !isOwed {
          let isKnown = delivered[export.exporter].contains(span)
          fault("span \(span.id) of trace \(span.trace.low) is exported \(isKnown ? "again" : "unasked")")
        }
        if case .busy = export.verdict { continue }
        owed[export.exporter][span, default: 0] -= 1
        delivered[export.exporter].insert(span)
      }
    }
  }

  /// A batch was answered with success.
  mutating func answered(_ batch: ModelBatch) {
    let isIn = batch.identity.map { identities.contains($0) } ?? bodies.contains(batch.body)
    if !isIn { fault("a batch was answered and is not in the journal") }
  }

  // MARK: What a crash leaves

  /// The process died; of its journal these records are there.
  mutating func crash(leaving present: Set<UInt64>) {
    for (unit, known) in handed where !known.owedTo.isEmpty {
      for span in known.spans where traces[span.trace]?.spans[span.id]?.entries.isDisjoint(with: present) ?? true {
        fault("span \(span.id) of \(unit) is owed and no entry holds it")
      }
    }
    handed = handed.filter { !$0.value.owedTo.isEmpty }
    entries = entries.filter { present.contains($0.key) }
    for (id, trace) in traces { forget(id, trace, but: present) }
    for place in exporters.indices {
      owed[place] = [:]
      for known in handed.values where known.owedTo.contains(place) {
        for span in known.spans { owe(span, to: [place]) }
      }
    }
  }

  /// A trace is known by the entries that are there.
  private mutating func forget(_ id: TraceID, _ trace: Trace, but present: Set<UInt64>) {
    if trace.isLive, !trace.mentions.isSubset(of: present) { fault("an entry of the open trace \(id.low) is gone") }
    var trace = trace
    trace.mentions.formIntersection(present)
    trace.spans = trace.spans.filter { !$0.value.entries.isDisjoint(with: present) }
    for span in trace.spans.keys { trace.spans[span]?.entries.formIntersection(present) }
    traces[id] = trace.mentions.isEmpty ? nil : trace
  }
}
