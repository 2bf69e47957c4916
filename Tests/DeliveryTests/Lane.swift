import Delivery

/// A forwarder with its commands in readable form: `connect 0`, `send 0:3 #1`, `settle 3 delivered`, ...
struct Lane {
  var forwarder: Forwarder
  var now: UInt64 = 0
  /// Connections that have no room after a request.
  var full: Set<Int> = []
  /// What a request comes to on the wire.
  var requestBytes = 3
  /// The latest `wake`.
  var wake: UInt64?

  init(_ options: ForwarderOptions, capacity: Int = 1 << 20) {
    forwarder = Forwarder(options, queue: SendingQueue(capacity: ByteBudget(limit: capacity)), seed: 42)
  }

  mutating func tell(_ event: (inout Forwarder, UInt64, inout [ForwarderCommand]) -> Void) -> [String] {
    var commands: [ForwarderCommand] = []
    event(&forwarder, now, &commands)
    var next = 0
    while next < commands.count {
      if case .send(let slot, let sequence, _) = commands[next] { carry(sequence, slot, &commands) }
      next += 1
    }
    return commands.compactMap { command in
      switch command {
      case .connect(let slot): return "connect \(slot)"
      case .send(let slot, let sequence, let attempt): return "send \(slot):\(sequence) #\(attempt)"
      case .cancel(let slot, let sequence): return "cancel \(slot):\(sequence)"
      case .close(let slot): return "close \(slot)"
      case .settle(let settlement):
        return "settle \(settlement.sequence) +\(settlement.forwarded) -\(settlement.undeliverable)"
      case .drained(let left): return "drained \(left)"
      case .wake(let time):
        wake = time
        return nil
      }
    }
  }

  private mutating func carry(_ sequence: UInt64, _ slot: Int, _ commands: inout [ForwarderCommand]) {
    let bytes = requestBytes
    forwarder.carried(
      sequence, slot: slot, bytes: bytes, hasRoom: !full.contains(slot), now: now, into: &commands)
  }

  mutating func start() -> [String] { tell { $0.start(now: $1, into: &$2) } }
  mutating func up(_ slot: Int, concurrency: Int = .max) -> [String] {
    tell { $0.connectionUp(slot: slot, concurrency: concurrency, now: $1, into: &$2) }
  }
  mutating func down(_ slot: Int) -> [String] { tell { $0.connectionDown(slot: slot, now: $1, into: &$2) } }
  mutating func room(_ slot: Int) -> [String] { tell { $0.connectionRoom(slot: slot, now: $1, into: &$2) } }
  mutating func leaving(_ slot: Int) -> [String] { tell { $0.connectionLeaving(slot: slot, now: $1, into: &$2) } }
  mutating func enqueue(_ spans: Int = 10) -> [String] {
    let batch = Batch(payload: [1, 2, 3], spanCount: spans)
    return tell { _ = $0.enqueue(batch, .ifRoom, now: $1, into: &$2) }
  }
  mutating func answer(_ sequence: UInt64, _ slot: Int, _ verdict: DeliveryVerdict) -> [String] {
    tell { $0.answered(sequence, slot: slot, verdict, now: $1, into: &$2) }
  }
  mutating func renew() -> [String] { tell { $0.renewConnections(now: $1, into: &$2) } }
  mutating func timer() -> [String] { tell { $0.timer(now: $1, into: &$2) } }
  /// Sleeps until something happens. A wake may find that nothing is to be done yet.
  mutating func sleep() -> [String] {
    for _ in 0..<1000 {
      guard let time = wake else { break }
      wake = nil
      now = time
      let commands = timer()
      if !commands.isEmpty { return commands }
    }
    return []
  }
  mutating func drain(_ deadline: UInt64) -> [String] { tell { $0.beginDrain(deadline: deadline, now: $1, into: &$2) } }
}
