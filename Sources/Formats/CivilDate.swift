internal import TraceWire

/// A day of the Gregorian calendar, and the time of day beside it, of a time since the Unix epoch.
struct CivilDate {
  let year: UInt64
  let month: UInt64
  let day: UInt64
  /// Nanoseconds since midnight, UTC.
  let nanoseconds: UInt64

  private static let daySize: UInt64 = 86_400_000_000_000

  /// - Parameter time: Nanoseconds since the Unix epoch; with 64 bits that ends in the year 2554.
  init(_ time: UInt64) {
    nanoseconds = time % Self.daySize
    let days = time / Self.daySize
    // Never too late, and at most one year too early.
    var year = 1970 &+ days / 366
    while Self.days(before: year &+ 1) <= days { year &+= 1 }
    self.year = year
    var left = days &- Self.days(before: year)
    var month: UInt64 = 1
    while left >= Self.days(in: month, of: year) {
      left &-= Self.days(in: month, of: year)
      month &+= 1
    }
    self.month = month
    day = left &+ 1
  }

  /// Days from the epoch to the first of January.
  private static func days(before year: UInt64) -> UInt64 {
    let past = year &- 1
    // Until 1970 there were 477 leap days.
    return 365 &* (year &- 1970) &+ past / 4 &- past / 100 &+ past / 400 &- 477
  }

  private static func days(in month: UInt64, of year: UInt64) -> UInt64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension [UInt8] {
  /// Appends RFC 3339 in UTC with nanoseconds: `2023-11-14T22:13:20.000000001Z`.
  mutating func append(_ date: CivilDate) {
    append(decimal: date.year, width: 4)
    append(UInt8(ascii: "-"))
    append(decimal: date.month, width: 2)
    append(UInt8(ascii: "-"))
    append(decimal: date.day, width: 2)
    append(UInt8(ascii: "T"))
    let seconds = date.nanoseconds / 1_000_000_000
    append(decimal: seconds / 3600, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: seconds / 60 % 60, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: seconds % 60, width: 2)
    append(UInt8(ascii: "."))
    append(decimal: date.nanoseconds % 1_000_000_000, width: 9)
    append(UInt8(ascii: "Z"))
  }

  /// Appends a number with zeros in front.
  mutating func append(decimal value: UInt64, width: Int) {
    var bound: UInt64 = 1
    for _ in 1..<width { bound &*= 10 }
    while bound > 1, value < bound {
      append(UInt8(ascii: "0"))
      bound /= 10
    }
    append(decimal: value)
  }
}
