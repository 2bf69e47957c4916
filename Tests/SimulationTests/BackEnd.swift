import Delivery
import TraceWire

/// A destination of traces: remembers how often it got each span.
final class BackEnd: Receiver {
  private let world: World
  private(set) var counts: [SpanID: Int] = [:]

  init(_ world: World) { self.world = world }

  func receive(_ body: [UInt8], identity: BatchIdentity?, completion: @escaping (Reception) -> Void) {
    guard !world.chance(world.trouble * 0.2) else { return completion(.overload) }
    var facts = RequestFacts()
    do { try facts.walk(body.span.bytes, keys: AttributeKeys()) } catch { return completion(.malformed) }
    for span in facts.spans { counts[span.spanID, default: 0] += 1 }
    completion(.accepted)
  }
}
