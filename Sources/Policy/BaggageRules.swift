internal import TraceWire

/// The limits on baggage, compiled: which attributes are entries, and which entries pass.
struct BaggageRules: Sendable {
  /// What an attribute is.
  enum Role: Equatable {
    case other
    /// One entry with this name (the key without the prefix).
    case entry(name: ByteRange)
    /// A whole W3C baggage header.
    case header
  }

  /// What the lists say of a name.
  private struct Standing: BitwiseCopyable, Sendable {
    var isAllowed = false
    var isDenied = false
  }

  let limits: BaggageLimits
  private let prefix: [UInt8]
  /// Listed keys (false) and header attributes (true).
  private var keys: ByteTable<Bool>
  private var standings: ByteTable<Standing>

  init(_ limits: BaggageLimits, hash: KeyedHash) {
    self.limits = limits
    prefix = Array((limits.prefix ?? "").utf8)
    keys = ByteTable(hash: hash)
    standings = ByteTable(hash: hash)
    for key in limits.keys { keys.set(Array(key.utf8)) { $0 ?? false } }
    for key in limits.headerAttributes { keys.set(Array(key.utf8)) { _ in true } }
    for name in limits.allow {
      standings.set(Array(name.utf8)) { Standing(isAllowed: true, isDenied: $0?.isDenied ?? false) }
    }
    for name in limits.deny {
      standings.set(Array(name.utf8)) { Standing(isAllowed: $0?.isAllowed ?? false, isDenied: true) }
    }
  }

  /// What the attribute with this key is. A header attribute is one even if the prefix fits, too.
  func role(of key: ByteRange, in bytes: RawSpan) -> Role {
    let listed = keys.value(key, of: bytes)
    if listed == true { return .header }
    if !prefix.isEmpty, key.count >= prefix.count,
      bytes.equals(
        ByteRange(Int(key.lower), Int(key.lower) &+ prefix.count), ByteRange(0, prefix.count), of: prefix.span.bytes)
    {
      return .entry(name: ByteRange(Int(key.lower) &+ prefix.count, Int(key.upper)))
    }
    return listed == nil ? .other : .entry(name: key)
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
