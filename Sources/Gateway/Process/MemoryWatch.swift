internal import Delivery
internal import Foundation
internal import ServiceLifecycle

/// Holds what the system says of the process's memory against what is charged to the budget, so that the limit is one
/// of the resident size. What nobody charges (code, the runtime, connections, pages that are free and not given back)
/// is taken off the room that is left; before that, free pages go back to the system.
struct MemoryWatch: Service {
  private static let interval = Duration.milliseconds(100)
  /// Looks after which free pages may be given back again where there is need of them: it costs milliseconds.
  private static let trimEvery = 20
  /// The same where there is none, but much is free: a burst is over.
  private static let trimUnaskedEvery = 50

  let budget: ByteBudget
  /// Bytes that are charged elsewhere.
  let beside: @Sendable () -> Int

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var sinceTrim = Self.trimEvery
      while (try? await Task.sleep(for: Self.interval)) != nil {
        sinceTrim += 1
        if look(sinceTrim) { sinceTrim = 0 }
      }
    }
  }

  /// Looks once, so many looks after free pages were given back; whether they were again.
  private func look(_ sinceTrim: Int) -> Bool {
    guard let resident = Self.residentBytes else { return false }
    budget.note(residentBytes: resident - beside())
    let isNeeded = sinceTrim >= Self.trimEvery && budget.isUnchargedLarge
    guard isNeeded || sinceTrim >= Self.trimUnaskedEvery && budget.isMuchFree else { return false }
    Allocator.trim()
    if let resident = Self.residentBytes { budget.note(residentBytes: resident - beside()) }
    return true
  }

  /// The resident size; nil where the system does not say it this way.
  static var residentBytes: Int? {
    guard let statistics = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
    let fields = statistics.split(separator: UInt8(ascii: " "))
    guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return nil }
    return pages * Int(getpagesize())
  }
}
