internal import TraceWire

/// The limits on baggage, compiled: which entries pass. Which attributes are entries `AttributeKeys` says.
struct BaggageRules: Sendable {
  /// What the lists say of a name.
  private struct Standing: BitwiseCopyable, Sendable {
    var isAllowed = false
    var isDenied = false
  }

  let limits: BaggageLimits
  private var standings: ByteTable<Standing>

  init(_ limits: BaggageLimits, hash: KeyedHash) {
    self.limits = limits
    standings = ByteTable(hash: hash)
    for name in limits.allow {
      standings.set(Array(name.utf8)) { Standing(isAllowed: true, isDenied: $0?.isDenied ?? false) }
    }
    for name in limits.deny {
      standings.set(Array(name.utf8)) { Standing(isAllowed: $0?.isAllowed ?? false, isDenied: true) }
    }
  }

  /// Why the next entry of a span is dropped, nil where it is kept, after `kept` others: first the lists, then the
  /// length, then the count.
  func objection(to name: ByteRange, in bytes: RawSpan, valueLength: Int, kept: Int) -> BaggageReason? {
    if standings.count > 0 {
      let standing = standings.value(name, of: bytes)
      if standing?.isDenied == true { return .denied }
      if !limits.allow.isEmpty, standing?.isAllowed != true { return .denied }
    }
    if name.count &+ valueLength > limits.maxLength { return .length }
    return kept >= limits.maxCount ? .count : nil
  }
}
