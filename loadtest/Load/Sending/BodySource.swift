import Compression
import TraceWire

/// Makes the bodies that one event loop sends.
final class BodySource {
  /// A request as it is sent.
  struct Body {
    var bytes: [UInt8]
    var spanCount: Int
  }

  private let traffic: Traffic
  private let compressor: Compressor
  private let pool: [Body]

  /// Prepares the plan's pool, where it has one.
  init(_ plan: LoadPlan) {
    let compressor = Compressor(plan.coding)
    self.compressor = compressor
    traffic = plan.traffic
    // Requests that share traces stay together.
    let parts = plan.traffic.partCount
    pool = (0..<(plan.pool + parts - 1) / parts * parts).map { number in
      Body(
        bytes: compressor.compress(plan.traffic.request(number)), spanCount: plan.traffic.spanCount(number))
    }
  }

  /// The body of a request by its number.
  func body(_ number: Int) -> Body {
    guard pool.isEmpty else { return pool[number % pool.count] }
    return Body(bytes: compressor.compress(traffic.request(number)), spanCount: traffic.spanCount(number))
  }
}
