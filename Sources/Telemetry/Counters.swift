internal import Synchronization

/// A label's closed set of values, each with a place in a table.
protocol CountedCase: CaseIterable, RawRepresentable, Sendable where RawValue == String {
  /// The case's place in `allCases`.
  var ordinal: Int { get }
}

/// One atomic counter a case, found by its ordinal.
final class Counters<Key: CountedCase>: Sendable {
  private let cells: [Cell]
  private final class Cell: Sendable {
    let value = Atomic<Int>(0)
  }

  init() { cells = Key.allCases.map { _ in Cell() } }

  func add(_ amount: Int, to key: Key) { cells[key.ordinal].value.wrappingAdd(amount, ordering: .relaxed) }
  subscript(key: Key) -> Int { cells[key.ordinal].value.load(ordering: .relaxed) }
}

extension ReceiverKind: CountedCase {
  var ordinal: Int {
    switch self {
    case .otlpGRPC: 0
    case .otlpHTTP: 1
    case .zipkin: 2
    case .jaegerGRPC: 3
    case .jaegerThriftHTTP: 4
    }
  }
}

extension Outcome: CountedCase {
  var ordinal: Int {
    switch self {
    case .forwarded: 0
    case .sampledOut: 1
    case .rejected: 2
    case .expired: 3
    case .overBudget: 4
    case .undeliverable: 5
    case .duplicate: 6
    }
  }
}

extension HeldStage: CountedCase {
  var ordinal: Int {
    switch self {
    case .batch: 0
    case .queue: 1
    case .stitching: 2
    }
  }
}

extension RefusalReason: CountedCase {
  var ordinal: Int {
    switch self {
    case .malformed: 0
    case .tooLarge: 1
    case .overload: 2
    case .unauthenticated: 3
    case .forbidden: 4
    }
  }
}
