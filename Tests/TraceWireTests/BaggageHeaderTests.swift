import TestKit
import Testing
import TraceWire

@Suite("baggage header") struct BaggageHeaderTests {
  private func members(_ text: String, from lower: Int = 0, to upper: Int? = nil) -> [[String]] {
    let bytes = [UInt8](text.utf8)
    var header = BaggageHeader(ByteRange(lower, upper ?? bytes.count), of: bytes.span.bytes)
    var found: [[String]] = []
    while let member = header.next(in: bytes.span.bytes) {
      found.append(
        [member.key, member.value, member.whole].map { String(decoding: bytes[$0.indices], as: UTF8.self) })
    }
    return found
  }

  @Test func readsNamesValuesAndProperties() {
    #expect(
      members("user=alice,tier = gold ; p=1;q , k=a=b%2Cc") == [
        ["user", "alice", "user=alice"],
        ["tier", "gold", "tier = gold ; p=1;q"],
        ["k", "a=b%2Cc", "k=a=b%2Cc"],
      ])
  }

  @Test func toleratesWhatTheSpecificationDoesNotAllow() {
    #expect(members("") == [])
    #expect(members(" ,\t, ,") == [])
    #expect(members(",a=1,,b=2,") == [["a", "1", "a=1"], ["b", "2", "b=2"]])
    #expect(members("bare") == [["bare", "", "bare"]])
    #expect(members("bare;p=1") == [["bare", "", "bare;p=1"]])
    #expect(members("=v") == [["", "v", "=v"]])
    #expect(members(";p") == [["", "", ";p"]])
    #expect(members("k=") == [["k", "", "k="]])
  }

  @Test func staysInsideItsRange() {
    #expect(members("a=1,b=2,c=3", from: 4, to: 7) == [["b", "2", "b=2"]])
    #expect(members("a=1,b=2", from: 4, to: 4000) == [["b", "2", "b=2"]])
    #expect(members("a=1", from: 4000, to: 5000) == [])
  }

  @Test func coversEveryByteButSeparatorsAndWhitespace() {
    let tokens = ["a", "=", ";", ",", " ", "\t", "é", "%2C", "\u{0}"]
    for seed in UInt64(0)..<2000 {
      var random = SeededGenerator(seed: seed)
      let text = (0..<Int(random.next() % 30)).map { _ in tokens[Int(random.next() % UInt64(tokens.count))] }.joined()
      let expected = text.split(separator: ",").map { $0.trimming(while: { $0 == " " || $0 == "\t" }) }
        .filter { !$0.isEmpty }
      #expect(members(text).map { $0[2] } == expected, "seed \(seed)")
    }
  }
}

extension Substring {
  fileprivate func trimming(while predicate: (Character) -> Bool) -> String {
    let start = drop(while: predicate)
    return String(String(start.reversed()).drop(while: predicate).reversed())
  }
}
