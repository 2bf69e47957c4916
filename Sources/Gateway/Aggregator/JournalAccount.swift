internal import DequeModule
internal import TraceWire

/// Which entries of the journal one shard still needs. An entry is needed while a trace of it is live, or what was
/// handed on of it has not settled with every exporter, and for `retention` after that: until then a span may come that
/// belongs to it.
struct JournalAccount {
  /// Something that was handed on.
  private struct Handed {
    var unit: [JournalUnit]
    var entries: [UInt64]
    /// A bit for each exporter that is not done.
    var pending: UInt64
  }

  private struct Retained {
    var until: UInt64
    var entries: [UInt64]
  }

  private let retention: UInt64
  /// The entries with spans of each live trace, rising.
  private var live: [TraceID: [UInt64]] = [:]
  private var handed: [UInt64: Handed] = [:]
  private var retained: Deque<Retained> = []
  /// How many traces, and things handed on, need an entry.
  private var needs: [UInt64: Int] = [:]
  private var nextToken: UInt64 = 0
  /// Entries that this shard needs no more.
  private var free: [UInt64] = []

  /// Makes an empty account; `retention` is in nanoseconds.
  init(retention: UInt64) { self.retention = retention }

  /// The shard has taken its spans out of an entry; some are of these live traces.
  mutating func took(_ entry: UInt64, live traces: [TraceID]) {
    for trace in traces {
      if live[trace]?.last == entry { continue }
      live[trace, default: []].append(entry)
      needs[entry, default: 0] += 1
    }
    if needs[entry] == nil { free.append(entry) }
  }

  /// A trace has closed. The token is what is handed on is known by.
  mutating func closed(_ unit: JournalUnit, exporters pending: UInt64, now: UInt64) -> UInt64 {
    hand([unit], live.removeValue(forKey: unit.trace) ?? [], pending, now)
  }

  /// Spans of an entry came too late. To be called before `took`.
  mutating func late(_ traces: [TraceID], of entry: UInt64, exporters pending: UInt64, now: UInt64) -> UInt64 {
    needs[entry, default: 0] += 1
    return hand(traces.map { JournalUnit(trace: $0, address: entry) }, [entry], pending, now)
  }

  private mutating func hand(
    _ unit: [JournalUnit], _ entries: [UInt64], _ pending: UInt64, _ now: UInt64
  ) -> UInt64 {
    nextToken &+= 1
    if pending == 0 {
      retain(entries, now)
    } else {
      handed[nextToken] = Handed(unit: unit, entries: entries, pending: pending)
    }
    return nextToken
  }

  /// One exporter is done with these. What is to be written down of it.
  mutating func settled(_ tokens: [UInt64], by exporter: Int, now: UInt64) -> [JournalUnit] {
    var units: [JournalUnit] = []
    for token in tokens {
      guard var known = handed.removeValue(forKey: token) else { continue }
      units += known.unit
      known.pending &= ~(1 << UInt64(exporter))
      if known.pending == 0 { retain(known.entries, now) } else { handed[token] = known }
    }
    return units
  }

  private mutating func retain(_ entries: [UInt64], _ now: UInt64) {
    guard !entries.isEmpty else { return }
    let (until, overflow) = now.addingReportingOverflow(retention)
    retained.append(Retained(until: overflow ? .max : until, entries: entries))
  }

  /// The entries that this shard needs no more; each is given once.
  mutating func takeFree(_ now: UInt64) -> [UInt64] {
    while let first = retained.first, first.until <= now {
      retained.removeFirst()
      for entry in first.entries {
        guard let count = needs[entry] else { continue }
        needs[entry] = count > 1 ? count - 1 : nil
        if count == 1 { free.append(entry) }
      }
    }
    defer { free = [] }
    return free
  }
}
