import TestKit
import Testing

@testable import TraceWire

private func read(_ text: String) -> OTTraceState {
  let bytes = [UInt8](text.utf8)
  return OTTraceState.read(ByteRange(0, bytes.count), of: bytes.span.bytes)
}

private func set(_ threshold: Threshold?, in text: String) -> String {
  let bytes = [UInt8]("<<\(text)>>".utf8)
  var output = [UInt8]("kept".utf8)
  TraceStateEditor.settingThreshold(threshold, in: ByteRange(2, bytes.count - 2), of: bytes.span.bytes, to: &output)
  let written = String(decoding: output, as: UTF8.self)
  #expect(written.hasPrefix("kept"))
  return String(written.dropFirst(4))
}

private let half = Threshold(probability: 0.5)

@Suite("tracestate") struct TraceStateTests {
  @Test func readsThresholdAndRandomness() {
    let state = read("vendor=1, ot=th:8;x:y;rv:0123456789abcd ,other=2")
    #expect(state.hasOT)
    #expect(state.threshold == half)
    #expect(state.randomness == 0x01_2345_6789_abcd)
  }

  @Test(arguments: ["", ",", " , ,", "vendor=ot", "aot=th:8", "ota=th:8", "OT=th:8", "o", "ot", "t=th:8"])
  func findsNoMember(_ text: String) {
    #expect(read(text) == OTTraceState())
  }

  @Test(arguments: [
    "ot=", "ot=th", "ot=th:", "ot=th:8G", "ot=th:F", "ot=th:123456789abcdef", "ot=rv:1", "ot=rv:0123456789abcde",
    "ot=rv:0123456789ABCD", "ot=rv:0123456789abc", "ot=tht:8", "ot=:8", "ot=th :8", "ot=th: 8", "ot=;;;", "ot==th:8",
  ])
  func leavesOutWhatIsMalformed(_ text: String) {
    let state = read(text)
    #expect(state.hasOT)
    #expect(state.threshold == nil)
    #expect(state.randomness == nil)
  }

  @Test func padsShortThresholdsOnTheRight() {
    #expect(read("ot=th:0").threshold == .always)
    #expect(read("ot=th:c").threshold == Threshold(rawValue: 0xc0_0000_0000_0000))
    #expect(read("ot=th:ffffffffffffff").threshold == Threshold(rawValue: (1 << 56) - 1))
  }

  @Test func firstMemberAndFirstKeyCount() {
    #expect(read("ot=th:8;th:c,ot=th:4").threshold == half)
    #expect(read("ot=th:zz;th:c").threshold == nil)
    #expect(read("ot=x:y,ot=th:4").threshold == nil)
  }

  @Test func cutsRangesThatLeaveTheBytes() {
    let bytes = [UInt8]("ot=th:8".utf8)
    #expect(OTTraceState.read(ByteRange(0, 4000), of: bytes.span.bytes).threshold == half)
    #expect(!OTTraceState.read(ByteRange(4000, 8000), of: bytes.span.bytes).hasOT)
    #expect(!OTTraceState.read(ByteRange(5, 2), of: bytes.span.bytes).hasOT)
    var output: [UInt8] = []
    TraceStateEditor.settingThreshold(half, in: ByteRange(4000, 5000), of: bytes.span.bytes, to: &output)
    #expect(output == bytes)
  }

  @Test(arguments: [
    ("", "ot=th:8"),
    ("a=1,b=2", "ot=th:8,a=1,b=2"),
    ("a=1 , ot=rv:0123456789abcd,\tb=2", "ot=th:8;rv:0123456789abcd,a=1,b=2"),
    ("a=1,ot=x:y;th:4;z:w", "ot=x:y;th:8;z:w,a=1"),
    ("a=1,ot=th:bad!;z:w", "ot=th:8;z:w,a=1"),
    ("ot=th", "ot=th:8"),
    ("ot=", "ot=th:8"),
    ("a=1,ot=th:80", "ot=th:8,a=1"),
    ("a=1, ot=th:8", "a=1, ot=th:8"),
    ("ot=th:8;th:c,a=1,ot=th:4", "ot=th:8,a=1"),
    (",, a=1,,", "ot=th:8,a=1"),
  ])
  func setsAThreshold(_ before: String, _ after: String) {
    #expect(set(half, in: before) == after)
  }

  @Test(arguments: [
    ("", ""), ("a=1 , b=2", "a=1 , b=2"), ("ot=th:8", ""), ("a=1,ot=th:8,b=2", "a=1,b=2"),
    ("a=1,ot=th:8;rv:0123456789abcd", "ot=rv:0123456789abcd,a=1"), ("a=1,ot=th:nonsense", "a=1"),
    ("a=1,ot=rv:0123456789abcd", "a=1,ot=rv:0123456789abcd"),
  ])
  func erasesAThreshold(_ before: String, _ after: String) {
    #expect(set(nil, in: before) == after)
    #expect(set(.never, in: before) == after)
  }

  @Test func writesEveryLengthOfThreshold() {
    #expect(set(.always, in: "") == "ot=th:0")
    #expect(set(Threshold(probability: 0.1), in: "") == "ot=th:e666")
    #expect(set(Threshold(probability: 0.01), in: "") == "ot=th:fd70a")
    for bit in 0..<56 {
      let threshold = Threshold(rawValue: 1 << UInt64(bit))
      let text = set(threshold, in: "")
      #expect(text == "ot=th:" + String(decoding: threshold.hexDigits, as: UTF8.self))
      #expect(read(text).threshold == threshold)
    }
  }

  @Test func dropsTheRightmostPastThirtyTwoMembers() {
    func members(_ count: Int) -> [String] { (0..<count).map { "k\($0)=v" } }
    let full = members(31).joined(separator: ",")
    #expect(set(half, in: full) == "ot=th:8," + full)
    #expect(set(half, in: members(32).joined(separator: ",")) == "ot=th:8," + full)
    let erased = set(nil, in: "ot=th:8," + members(33).joined(separator: ","))
    #expect(erased == members(32).joined(separator: ","))
  }

  @Test func neverTrapsAndStaysReadable() {
    let tokens = [
      "ot=", "th:", "rv:", "0123456789abcd", "8", "f", "F", ";", ",", " ", "\t", ":", "=", "x", "\u{0}", "é",
    ]
    for seed in UInt64(0)..<4000 {
      var random = SeededGenerator(seed: seed)
      let bytes = (0..<Int(random.next() % 40)).flatMap { _ in tokens[Int(random.next() % UInt64(tokens.count))].utf8 }
      let range = ByteRange(0, bytes.count)
      let before = OTTraceState.read(range, of: bytes.span.bytes)
      let threshold: Threshold? = random.next() % 4 == 0 ? nil : Threshold(rawValue: random.next() % (1 << 56))
      var output: [UInt8] = []
      TraceStateEditor.settingThreshold(threshold, in: range, of: bytes.span.bytes, to: &output)
      let after = OTTraceState.read(ByteRange(0, output.count), of: output.span.bytes)
      #expect(after.threshold == threshold, "seed \(seed)")
      if before.hasOT { #expect(after.randomness == before.randomness, "seed \(seed)") }
      var again: [UInt8] = []
      TraceStateEditor.settingThreshold(
        threshold, in: ByteRange(0, output.count), of: output.span.bytes, to: &again)
      #expect(again == output, "seed \(seed)")
    }
  }
}
