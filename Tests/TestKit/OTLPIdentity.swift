#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension OTLPGenerator {
  /// Random bytes, now and then all zero.
  mutating func id(_ count: Int) -> Data {
    let isZero = random.one(in: 40)
    return Data((0..<count).map { _ in isZero ? 0 : UInt8.random(in: 0...255, using: &random) })
  }
}
