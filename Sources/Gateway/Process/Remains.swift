internal import Transport

/// What is left of a large request when nobody reads it any more: it is given back on the second thread of its event
/// loop. To unmap hundreds of mebibytes takes the system milliseconds, for which connections would wait. Held by all
/// who read the request, as the last of what they hold of it.
final class Remains<Value: Sendable, Cell>: Sendable {
  private let value: Value
  private let loops: PerLoop<Cell>
  private let number: Int

  /// Holds the value, to give it back on the loop with this number.
  init(_ value: Value, on number: Int, of loops: PerLoop<Cell>) {
    self.value = value
    self.loops = loops
    self.number = number
  }

  deinit {
    loops.execute(on: number) { [value] _ in withExtendedLifetime(value) {} }
  }
}
