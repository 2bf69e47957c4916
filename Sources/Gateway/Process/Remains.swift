internal import Synchronization
internal import Transport

/// What holds much memory, and gives it back at the end, as `LongWork`.
protocol GivenBack: Sendable {
  /// To be called on the one copy that is left.
  consuming func giveBack()
}

/// What is left of a large request when nobody reads it any more: it is given back on the second thread of its event
/// loop. To unmap hundreds of mebibytes takes the system milliseconds, for which connections would wait. Held by all
/// who read the request, as the last of what they hold of it.
final class Remains<Value: GivenBack, Cell>: Sendable {
  /// Emptied on the other thread, so that it does not matter who lets go of it last.
  private final class Room: Sendable {
    private let value: Handover<Value>
    private let charge = Mutex<(any AnyObject & Sendable)?>(nil)

    init(_ value: Value) { self.value = Handover(value) }

    func hold(_ charge: any AnyObject & Sendable) { self.charge.withLock { $0 = charge } }

    func giveBack() {
      value.take()?.giveBack()
      charge.withLock { $0 = nil }
    }
  }

  private let room: Room
  private let loops: PerLoop<Cell>
  private let number: Int

  /// Holds the value, to give it back on the loop with this number.
  init(_ value: Value, on number: Int, of loops: PerLoop<Cell>) {
    room = Room(value)
    self.loops = loops
    self.number = number
  }

  /// Keeps what the value is charged with until its room is given back: before that nobody else has it.
  func hold(_ charge: any AnyObject & Sendable) { room.hold(charge) }

  deinit { loops.execute(on: number) { [room] _ in room.giveBack() } }
}
