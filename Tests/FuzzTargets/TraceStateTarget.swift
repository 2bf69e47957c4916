internal import TraceWire

/// The editor writes what splitting strings says it should, and nothing but `th` changes.
enum TraceStateTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let isErasing = input.flag()
    var raw: UInt64 = 0
    for _ in 0..<7 { raw = raw << 8 | UInt64(input.byte()) }
    raw &= ~((1 << UInt64(4 * input.number(in: 0...13))) - 1)
    let threshold = isErasing ? nil : Threshold(rawValue: raw)
    let state = input.data
    let range = ByteRange(0, state.count)
    let before = OTTraceState.read(range, of: state.span.bytes)
    let reference = TraceStateReference(state)
    try check(before.hasOT == (reference.ot != nil), "an ot member seen wrongly")
    try check(before.threshold == reference.threshold, "th \(String(describing: before.threshold))")
    try check(before.randomness == reference.randomness, "rv \(String(describing: before.randomness))")
    var output: [UInt8] = [7]
    TraceStateEditor.settingThreshold(threshold, in: range, of: state.span.bytes, to: &output)
    try check(output.first == 7, "what was there before is gone")
    output.removeFirst()
    let wanted = reference.setting(threshold)
    try check(output == wanted, "wrote \(output.quoted), not \(wanted.quoted)")
    let after = OTTraceState.read(ByteRange(0, output.count), of: output.span.bytes)
    try check(after.threshold == threshold, "does not read what it wrote")
    try check(after.randomness == before.randomness, "changed rv")
    var again: [UInt8] = []
    TraceStateEditor.settingThreshold(threshold, in: ByteRange(0, output.count), of: output.span.bytes, to: &again)
    try check(again == output, "is not settled after one edit")
  }
}

/// W3C Trace Context 3.3.1 and OpenTelemetry's "TraceState: probability sampling", by splitting.
struct TraceStateReference {
  private let whole: [UInt8]
  private let members: [[UInt8]]

  init(_ state: [UInt8]) {
    whole = state
    members = state.pieces(",")
  }

  /// The keys of the first `ot` member.
  var ot: [[UInt8]]? { members.first(where: Self.isOT).map { Array($0.dropFirst(3)).pieces(";") } }

  var threshold: Threshold? { value(of: "th").flatMap { Threshold(hex: $0) } }

  var randomness: UInt64? {
    guard let digits = value(of: "rv"), digits.count == 14, let number = Threshold(hex: digits) else { return nil }
    return number.rawValue
  }

  /// The tracestate with `th` set, or without it.
  func setting(_ threshold: Threshold?) -> [UInt8] {
    let pair = threshold.map { Array("th:".utf8) + $0.hexDigits }
    let keys = ot ?? []
    let present = keys.filter { Self.key(of: $0) == Array("th".utf8) }
    if present == (pair.map { [$0] } ?? []) { return whole }
    var written: [[UInt8]] = []
    var isWritten = pair == nil
    if let pair, present.isEmpty {
      written.append(pair)
      isWritten = true
    }
    for key in keys {
      guard Self.key(of: key) == Array("th".utf8) else {
        written.append(key)
        continue
      }
      if !isWritten, let pair { written.append(pair) }
      isWritten = true
    }
    let own = written.isEmpty ? [] : [Array("ot=".utf8) + written.joined(separator: ";".utf8)]
    let others = members.filter { !Self.isOT($0) }
    return Array((own + others.prefix(32 - own.count)).joined(separator: ",".utf8))
  }

  private func value(of key: String) -> [UInt8]? {
    ot?.first { Self.key(of: $0) == Array(key.utf8) }.map { Array($0.dropFirst(key.utf8.count + 1)) }
  }

  private static func isOT(_ member: [UInt8]) -> Bool { member.starts(with: "ot=".utf8) }

  private static func key(of pair: [UInt8]) -> [UInt8] { Array(pair.prefix { $0 != UInt8(ascii: ":") }) }
}

extension [UInt8] {
  /// What stands between separators, trimmed, without what is empty.
  func pieces(_ separator: Unicode.Scalar) -> [[UInt8]] {
    split(separator: UInt8(ascii: separator)).map { $0.trimmed }.filter { !$0.isEmpty }
  }

  /// The bytes as a Swift literal of text, for a finding.
  var quoted: String { String(decoding: self, as: UTF8.self).debugDescription }
}

extension Sequence<UInt8> {
  /// The bytes without the spaces and tabs around them.
  var trimmed: [UInt8] {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    return Array(Array(drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
  }
}
