import Delivery

/// What a request comes to at its receiver.
enum Reception {
  case accepted
  case overload
  case malformed
}

/// What takes requests in: a relay, an aggregator, a back end.
protocol Receiver: AnyObject {
  /// Takes a request. `completion` is called at most once, not at all where the receiver dies first.
  func receive(_ body: [UInt8], identity: BatchIdentity?, completion: @escaping (Reception) -> Void)
}

/// The way between two nodes: it loses, delays, doubles and overtakes, and is cut for a while now and then.
final class Path {
  private let world: World
  private unowned let receiver: any Receiver
  private var cutUntil: UInt64 = 0
  /// Requests that were carried twice.
  private(set) var doubled = 0

  init(_ world: World, to receiver: any Receiver) {
    self.world = world
    self.receiver = receiver
  }

  /// Whether nothing comes through, either way.
  var isCut: Bool {
    if world.now >= cutUntil, world.chance(world.trouble * 0.02) {
      cutUntil = world.now + world.delay(100 * millisecond...20 * second)
    }
    return world.now < cutUntil
  }

  /// Mends whatever is cut.
  func heal() { cutUntil = 0 }

  private var latency: UInt64 {
    world.chance(world.trouble * 0.2)
      ? world.delay(0...12 * second) : world.delay(millisecond...60 * millisecond)
  }

  private var isLost: Bool { isCut || world.chance(world.trouble * 0.2) }

  /// Carries a request there and its answer back, each or none of them; sometimes the request twice.
  func carry(_ body: [UInt8], identity: BatchIdentity? = nil, answer: @escaping (Reception) -> Void) {
    let copies = world.chance(world.trouble * 0.1) ? 2 : 1
    doubled += copies - 1
    for copy in 0..<copies where !isLost {
      world.after(latency) { [self] in
        // What was on its way when the line was cut does not arrive.
        guard !isCut else { return }
        receiver.receive(body, identity: identity) { [self] reception in
          guard copy == 0, !isLost else { return }
          world.after(latency) { answer(reception) }
        }
      }
    }
  }
}
