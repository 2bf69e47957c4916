internal import DequeModule
internal import TraceWire

/// The spans that came last, in the requests that brought them: nothing is copied or compressed for a trace that closes
/// soon. What has been here for too long, or is too much, leaves in the order it came.
///
/// A run is what a request brought of one trace.
struct YoungSpans {
  /// Where a run is. Requests are numbered as they come, so that an address tells whether it is still there.
  struct Address: Sendable, Equatable {
    fileprivate var arrival: UInt32 = .max
    fileprivate var run: UInt32 = .max

    /// No run's.
    static let none = Address()
  }

  /// The runs of a trace, in the order they came.
  struct Runs: Sendable {
    fileprivate(set) var first = Address.none
    fileprivate var last = Address.none

    init() {}
  }

  /// Some spans of one trace that lie next to each other in a request's list.
  struct Run: Sendable {
    /// The live trace; `.max` for a run that is gone.
    fileprivate(set) var slot: UInt32
    /// The span that the trace had before these.
    let last: UInt32
    fileprivate let first: UInt32
    /// How many spans.
    let count: UInt32
    /// What they come to when they are handed on by themselves.
    let byteCount: UInt32
    /// The next of its trace.
    fileprivate(set) var next = Address.none

    fileprivate var positions: Range<Int> { Int(first)..<Int(first &+ count) }
    /// What the trace is charged with: the bytes, and the facts that wait with them.
    var heldBytes: Int { Int(byteCount) &+ Int(count) &* MemoryLayout<SpanFacts>.stride }
  }

  /// A request with the runs that are left of it; an object, so that looking at it counts one reference.
  private final class Arrival {
    /// Nil once nothing is left.
    var request: ReceivedRequest?
    /// What is to be let go with it.
    var lease: AnyObject?
    /// Those of its spans that are this shard's.
    var indices: [UInt32]
    var runs: [Run] = []
    /// Runs that are left.
    var live = 0
    let byteCount: Int
    let time: UInt64

    init(_ request: ReceivedRequest, _ indices: [UInt32], lease: AnyObject, byteCount: Int, time: UInt64) {
      self.request = request
      self.indices = indices
      self.lease = lease
      self.byteCount = byteCount
      self.time = time
    }

    /// Appends a run's spans.
    func copy(_ run: Run, to output: inout [UInt8]) {
      request?.copy(indices, run.positions, to: &output)
    }

    /// Lets everything go.
    func end() {
      request = nil
      lease = nil
      indices = []
      runs = []
    }

    /// What one takes with its place in the queue, besides its runs.
    static let overhead = 120
  }

  /// Requests that are kept at most: each has its tables.
  private static let arrivalsMax = 1 << 14

  private var arrivals = Deque<Arrival>()
  /// The number of the oldest request.
  private var firstNumber: UInt32 = 0
  /// Runs before this one of the oldest request were looked at.
  private var nextRun = 0
  private var isOpen = false
  /// What is kept of requests, with their facts; somebody else is charged with that.
  private(set) var requestBytes = 0
  private var runCount = 0
  /// Spans that are to be written: the number of their request, and their index in it.
  private var wanted: [UInt64] = []
  /// At most what they come to.
  private(set) var wantedBytes = 0
  private var selection: [UInt32] = []

  init() {}

  /// Bytes of the tables.
  var byteCount: Int {
    arrivals.count &* Arrival.overhead &+ runCount &* MemoryLayout<Run>.stride
  }

  /// Whether another request may be kept.
  var hasRoom: Bool { arrivals.count < Self.arrivalsMax }

  /// Begins with a request, of which it is said how much is kept for this shard.
  mutating func open(_ request: ReceivedRequest, _ indices: [UInt32], lease: AnyObject, byteCount: Int, now: UInt64) {
    arrivals.append(Arrival(request, indices, lease: lease, byteCount: byteCount, time: now))
    requestBytes &+= byteCount
    isOpen = true
  }

  /// Adds spans of the request at hand, as positions in its list, to a trace's.
  mutating func append(
    _ positions: Range<Int>, of slot: UInt32, after last: UInt32, byteCount: Int, to runs: inout Runs
  ) -> Run {
    let place = arrivals.count &- 1
    let arrival = arrivals[place]
    let own = Address(
      arrival: firstNumber &+ UInt32(truncatingIfNeeded: place), run: UInt32(truncatingIfNeeded: arrival.runs.count))
    let run = Run(
      slot: slot, last: last, first: UInt32(truncatingIfNeeded: positions.lowerBound),
      count: UInt32(truncatingIfNeeded: positions.count), byteCount: UInt32(clamping: byteCount))
    arrival.runs.append(run)
    arrival.live &+= 1
    runCount &+= 1
    if runs.first == .none {
      runs.first = own
    } else {
      arrivals[self.place(runs.last)].runs[Int(runs.last.run)].next = own
    }
    runs.last = own
    return run
  }

  /// Ends with the request at hand, which goes if nothing is left of it.
  mutating func close() {
    isOpen = false
    if let last = arrivals.last { forgetIfDone(last) }
    dropGone()
  }

  /// What a trace is charged with for its runs, and how many spans they are.
  func measure(_ runs: Runs) -> (heldBytes: Int, spans: Int) {
    var (heldBytes, spans) = (0, 0)
    forEach(runs) { run, _ in
      heldBytes &+= run.heldBytes
      spans &+= Int(run.count)
    }
    return (heldBytes, spans)
  }

  /// Notes that the spans of a trace are to be written. Until that is done, which is to be next, their requests stay.
  mutating func want(_ runs: Runs) {
    var address = runs.first
    while address != .none {
      let arrival = arrivals[place(address)]
      let run = arrival.runs[Int(address.run)]
      for position in run.positions {
        wanted.append(UInt64(address.arrival) << 32 | UInt64(arrival.indices[position]))
      }
      wantedBytes &+= Int(run.byteCount)
      address = run.next
    }
  }

  /// Appends the spans that are to be written, request by request, with what their resources and scopes hold.
  mutating func write(to output: inout [UInt8]) {
    guard !wanted.isEmpty else { return }
    output.reserveCapacity(output.count &+ wantedBytes)
    wanted.sort()
    var written: [Arrival] = []
    var first = 0
    while first < wanted.count {
      let number = UInt32(truncatingIfNeeded: wanted[first] >> 32)
      let arrival = arrivals[Int(number &- firstNumber)]
      selection.removeAll(keepingCapacity: true)
      while first < wanted.count, UInt32(truncatingIfNeeded: wanted[first] >> 32) == number {
        selection.append(UInt32(truncatingIfNeeded: wanted[first]))
        first &+= 1
      }
      arrival.request?.copy(selection, selection.indices, to: &output)
      written.append(arrival)
    }
    wanted.removeAll(keepingCapacity: wanted.capacity <= 1 << 14)
    if selection.capacity > 1 << 14 { selection = [] }
    wantedBytes = 0
    for arrival in written { forgetIfDone(arrival) }
    dropGone()
  }

  /// Takes out the runs of a trace.
  mutating func remove(_ runs: Runs) {
    var address = runs.first
    while address != .none {
      let next = arrivals[place(address)].runs[Int(address.run)].next
      release(address)
      address = next
    }
    dropGone()
  }

  /// The trace of the oldest run of all, which is the first of that trace, and when it came.
  mutating func oldest() -> (slot: UInt32, time: UInt64)? {
    precondition(wanted.isEmpty, "what is to be written is written first")
    while let arrival = arrivals.first {
      while nextRun < arrival.runs.count {
        let run = arrival.runs[nextRun]
        if run.slot != .max { return (run.slot, arrival.time) }
        nextRun &+= 1
      }
      forgetIfDone(arrival)
      guard arrival.request == nil else { return nil }
      dropGone()
    }
    return nil
  }

  /// Moves the spans of a trace's first run to the end of an output; nil where there is none.
  mutating func takeFirst(of runs: inout Runs, to output: inout [UInt8]) -> Run? {
    let address = runs.first
    guard address != .none else { return nil }
    let arrival = arrivals[place(address)]
    let run = arrival.runs[Int(address.run)]
    arrival.copy(run, to: &output)
    runs.first = run.next
    if run.next == .none { runs.last = .none }
    release(address)
    dropGone()
    return run
  }

  // MARK: Requests

  private func place(_ address: Address) -> Int { Int(address.arrival &- firstNumber) }

  @inline(__always) private func forEach(_ runs: Runs, _ body: (Run, Arrival) -> Void) {
    var address = runs.first
    while address != .none {
      let arrival = arrivals[place(address)]
      let run = arrival.runs[Int(address.run)]
      body(run, arrival)
      address = run.next
    }
  }

  private mutating func release(_ address: Address) {
    let arrival = arrivals[place(address)]
    arrival.runs[Int(address.run)].slot = .max
    arrival.live &-= 1
    forgetIfDone(arrival)
  }

  /// Lets a request go of which nothing is left, and nothing comes.
  private mutating func forgetIfDone(_ arrival: Arrival) {
    guard arrival.live == 0, arrival.request != nil, wanted.isEmpty else { return }
    guard !isOpen || arrival !== arrivals.last else { return }
    requestBytes &-= arrival.byteCount
    runCount &-= arrival.runs.count
    arrival.end()
  }

  /// Requests that are gone make place where they are the oldest.
  private mutating func dropGone() {
    while let first = arrivals.first, first.request == nil {
      arrivals.removeFirst()
      firstNumber &+= 1
      nextRun = 0
    }
  }
}
