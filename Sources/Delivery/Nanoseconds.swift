extension Duration {
  /// The same length in nanoseconds; negative ones count as zero, endless ones as the largest number.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : whole.later(by: UInt64(attoseconds) / 1_000_000_000)
  }
}

extension UInt64 {
  /// A point in time so much later, or the end of time: waiting for ever is a legal wish, trapping is not.
  func later(by nanoseconds: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(nanoseconds)
    return overflow ? .max : sum
  }

  /// The nanoseconds since an earlier point in time; zero where it is not earlier.
  func since(_ earlier: UInt64) -> UInt64 { self > earlier ? self &- earlier : 0 }
}
