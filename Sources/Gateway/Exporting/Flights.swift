internal import Compression

/// A try to deliver a batch, from when it was begun to when it ended.
struct Flight {
  var slot: Int
  /// How often the batch was tried, this one included.
  var attempt: Int
  /// The coding of its message.
  var coding: ContentCoding
  /// Which of all tries it is.
  var number: UInt64 = 0
  /// By what the link knows it; nil while the message is being made.
  var stream: Int32?
  /// What its message is charged with, while it is held: a message that is the batch's own bytes costs nothing.
  var chargedBytes = 0
}

/// A lane's tries that are under way, by the batches' sequences.
struct Flights {
  private var flights: [UInt64: Flight] = [:]
  private var lastNumber: UInt64 = 0

  /// Begins a try, and numbers it.
  mutating func begin(_ sequence: UInt64, _ flight: Flight) -> Flight {
    var flight = flight
    lastNumber &+= 1
    flight.number = lastNumber
    flights[sequence] = flight
    return flight
  }

  /// Charges a try with its message; false where it has ended in the meantime.
  mutating func charge(_ sequence: UInt64, _ flight: Flight, _ bytes: Int) -> Bool {
    guard flights[sequence]?.number == flight.number else { return false }
    flights[sequence]?.chargedBytes = bytes
    return true
  }

  /// Notes by what the link knows a try, unless it has ended in the meantime.
  mutating func launched(_ sequence: UInt64, _ flight: Flight, stream: Int32) {
    if flights[sequence]?.number == flight.number { flights[sequence]?.stream = stream }
  }

  /// A try's message was sent whole, and is held no more; what it was charged with.
  mutating func sent(_ sequence: UInt64, _ flight: Flight) -> Int {
    guard let held = flights[sequence], held.number == flight.number else { return 0 }
    flights[sequence]?.chargedBytes = 0
    return held.chargedBytes
  }

  /// Ends a try; nil where none is under way on that slot.
  mutating func end(_ sequence: UInt64, slot: Int) -> Flight? {
    guard flights[sequence]?.slot == slot else { return nil }
    return flights.removeValue(forKey: sequence)
  }

  /// Ends every try on a slot whose link is gone; what they were charged with.
  mutating func leave(_ slot: Int) -> Int {
    let left = flights.filter { $0.value.slot == slot }
    for sequence in left.keys { flights[sequence] = nil }
    return left.values.reduce(0) { $0 + $1.chargedBytes }
  }
}
