import TestKit

// A federation in one process without sockets, threads or time: three relays and two aggregators made of the product's
// own decisions (policy, batcher, queue, forwarder, shards), and around them a simulated network, clock and disk.
//
//   apps -> relay (one of three regions) -> aggregator "first" -> aggregator "second" -> back end
//                                                             \-> back end
//
// Everything random comes from one seed, so a failure is its seed. Rules that must always hold are checked after every
// event, the rest when the network has healed and everything has come to rest.

let millisecond: UInt64 = 1_000_000
let second: UInt64 = 1_000_000_000

/// The clock, what is going to happen, and the rules that were broken.
final class World {
  private(set) var now: UInt64 = second
  var random: SeededGenerator
  private(set) var faults: [String] = []
  /// How often things go wrong: 0 when the world has healed.
  var trouble: Double
  /// Events so far.
  private(set) var steps = 0
  private var order = 0
  private var agenda = EventHeap()
  /// Called after every event.
  var check: () -> Void = {}

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    trouble = 0
    trouble = chance(0.2) ? 0 : Double.random(in: 0...0.5, using: &random)
  }

  func fault(_ what: String) { if faults.count < 10 { faults.append("at \(now / millisecond) ms: \(what)") } }

  func expect(_ holds: Bool, _ what: @autoclosure () -> String) { if !holds { fault(what()) } }

  /// Has something happen later.
  func after(_ delay: UInt64, _ action: @escaping () -> Void) {
    order += 1
    agenda.insert(EventHeap.Event(time: now + delay, order: order, action: action))
  }

  /// Lets things happen until a time, or until none is left.
  func play(until end: UInt64 = .max) {
    while faults.isEmpty, let next = agenda.first, next.time <= end {
      agenda.removeFirst()
      now = next.time
      steps += 1
      if steps > 100_000 { fault("does not come to rest") }
      next.action()
      check()
    }
    if end < .max { now = max(now, end) }
  }

  // MARK: Chance

  func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
  func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  func delay(_ range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range, using: &random) }
  func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }
}

/// What is going to happen, the earliest first.
struct EventHeap {
  struct Event {
    var time: UInt64
    var order: Int
    var action: () -> Void

    static func < (a: Event, b: Event) -> Bool { (a.time, a.order) < (b.time, b.order) }
  }

  private var events: [Event] = []

  var first: Event? { events.first }

  mutating func insert(_ event: Event) {
    events.append(event)
    var child = events.count - 1
    while child > 0, events[child] < events[(child - 1) / 2] {
      events.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() {
    events.swapAt(0, events.count - 1)
    events.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < events.count && events[child] < events[least] {
        least = child
      }
      if least == parent { return }
      events.swapAt(parent, least)
      parent = least
    }
  }
}
