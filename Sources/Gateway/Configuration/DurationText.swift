/// A duration as Go, and so the Collector, writes it: `1m30s`, `500ms`, `1.5h`, `0`.
struct DurationText: CustomStringConvertible {
  let value: Duration

  init(_ value: Duration) { self.value = value }

  /// Reads one; nil where the text is none or does not fit (292 years).
  init?(_ text: String) {
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    guard !rest.isEmpty else { return nil }
    var nanoseconds = Int64(0)
    if rest != "0" {
      while !rest.isEmpty {
        guard let part = Self.part(&rest) else { return nil }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(part)
        if overflow { return nil }
        nanoseconds = sum
      }
    }
    value = .nanoseconds(isNegative ? -nanoseconds : nanoseconds)
  }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000),
    ("µs", 1_000), ("ns", 1),
  ]

  /// Takes one number with its unit off the front.
  private static func part(_ rest: inout Substring) -> Int64? {
    let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    rest = rest[number.endIndex...]
    let name = rest.prefix { $0.isLetter }
    rest = rest[name.endIndex...]
    let halves = number.split(separator: ".", omittingEmptySubsequences: false)
    guard let unit = units.first(where: { $0.name == name })?.nanoseconds, (1...2).contains(halves.count),
      number.contains(where: \.isNumber), let whole = Int64(halves[0].isEmpty ? "0" : halves[0])
    else { return nil }
    let (base, overflow) = whole.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    var total = base
    var scale = unit
    // A digit past the nanosecond is cut off.
    for digit in halves.count == 2 ? halves[1] : "" {
      scale /= 10
      guard let value = digit.wholeNumberValue else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(scale * Int64(value))
      if overflow { return nil }
      total = sum
    }
    return total
  }

  /// In the largest units that leave whole numbers.
  var description: String {
    let (seconds, attoseconds) = value.components
    var rest = seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    if rest == 0 { return "0s" }
    var text = rest < 0 ? "-" : ""
    rest = rest < 0 ? 0 &- rest : rest
    for unit in Self.units where unit.name != "µs" {
      let count = rest / unit.nanoseconds
      if count > 0 { text += "\(count)\(unit.name)" }
      rest %= unit.nanoseconds
    }
    return text
  }
}
