import Testing
import TraceWire

@testable import Policy

@Suite struct RegionRulesTests {
  static func block(_ text: String) -> CIDRBlock {
    guard let block = CIDRBlock(text) else { preconditionFailure("\(text) is a block") }
    return block
  }

  let rules = RegionRules([
    RegionRule(
      name: "us-west-2", hosts: ["*.us-west-2.example.com", "West"],
      cidrs: [block("10.20.0.0/16"), block("2001:db8:2::/48")]),
    RegionRule(name: "eu-west-1", hosts: ["*-eu.example.com", "*"], cidrs: [block("10.0.0.0/8")]),
    RegionRule(
      name: "us-east-1", hosts: ["one.us-west-2.example.com"], cidrs: [block("10.20.30.0/24"), block("::/0")]),
  ])

  private func region(_ host: String, in rules: RegionRules) -> String? {
    rules.match(Array(host.utf8)).map { rules.regions[$0] }
  }

  @Test func namesThenGlobsInOrder() {
    #expect(region("db.us-west-2.example.com", in: rules) == "us-west-2")
    #expect(region("a.b.us-west-2.example.com", in: rules) == "us-west-2")
    #expect(region("DB.US-West-2.Example.COM.", in: rules) == "us-west-2")
    #expect(region("west", in: rules) == "us-west-2")
    #expect(region("one.us-west-2.example.com", in: rules) == "us-east-1")
    #expect(region("us-west-2.example.com", in: rules) == "eu-west-1", "only `*` fits a name without a label before")
    #expect(region("db.us-west-2.example.com.evil.test", in: rules) == "eu-west-1")
  }

  @Test func literalsByTheLongestPrefix() {
    let rules = RegionRules([
      RegionRule(name: "eight", hosts: ["host"], cidrs: [Self.block("10.0.0.0/8")]),
      RegionRule(name: "sixteen", cidrs: [Self.block("10.20.0.0/16"), Self.block("2001:db8:2::/48")]),
      RegionRule(name: "again", cidrs: [Self.block("10.20.0.0/16"), Self.block("192.0.2.7")]),
    ])
    #expect(region("10.1.2.3", in: rules) == "eight")
    #expect(region("10.20.2.3", in: rules) == "sixteen")
    #expect(region("10.19.255.255", in: rules) == "eight")
    #expect(region("10.21.0.0", in: rules) == "eight")
    #expect(region("192.0.2.7", in: rules) == "again")
    #expect(region("192.0.2.8", in: rules) == nil)
    #expect(region("::ffff:10.20.0.1", in: rules) == "sixteen")
    #expect(region("[2001:db8:2::1]", in: rules) == "sixteen")
    #expect(region("2001:DB8:2:0::1%eth0", in: rules) == "sixteen")
    #expect(region("2001:db8:3::1", in: rules) == nil)
    #expect(region("10.20.0", in: rules) == nil)
    #expect(region("010.20.0.1", in: rules) == nil)
    #expect(region("", in: rules) == nil)
    #expect(region(String(repeating: "a", count: 256), in: rules) == nil)
  }

  @Test(arguments: [
    ("0.0.0.0", true), ("255.255.255.255", true), ("256.0.0.1", false), ("1.2.3", false), ("1.2.3.4.5", false),
    ("1..2.3", false), ("::", true), ("::1", true), ("1::", true), ("1:2:3:4:5:6:7:8", true), ("1:2:3:4:5:6:7", false),
    ("1:2:3:4:5:6:7:8:9", false), ("1:2:3:4:5:6:7::8", false), ("1::2::3", false), (":::", false), ("12345::", false),
    ("::1.2.3.4", true), ("1.2.3.4::", false), ("g::", false), ("+1::", false), ("::ffff:1.2.3.256", false),
    (":1", false),
  ])
  func literals(text: String, isAddress: Bool) {
    #expect((IPAddress(Array(text.utf8)) != nil) == isAddress, "\(text)")
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "ten/8", "", "::/129", "10.0.0.0/+8"])
  func notABlock(text: String) {
    #expect(CIDRBlock(text) == nil)
  }

  @Test func edgesOfBlocks() throws {
    let all = try #require(CIDRBlock("0.0.0.0/0"))
    #expect(all.contains(try #require(IPAddress("1.2.3.4".utf8))))
    #expect(!all.contains(try #require(IPAddress("2001:db8::".utf8))))
    let every = try #require(CIDRBlock("::/0"))
    #expect(every.contains(try #require(IPAddress("1.2.3.4".utf8))))
    let half = try #require(CIDRBlock("2001:db8::/64"))
    #expect(half.contains(try #require(IPAddress("2001:db8::ffff:ffff:ffff:ffff".utf8))))
    #expect(!half.contains(try #require(IPAddress("2001:db8:0:1::".utf8))))
  }

  @Test func globsThatBacktrack() {
    let pattern = HostPattern("a*b*c?.x")
    #expect(pattern.matches(Array("a1b2b3c4.x".utf8)))
    #expect(pattern.matches(Array("abcc.x".utf8)))
    #expect(!pattern.matches(Array("abc.x".utf8)))
    #expect(!HostPattern("*.x").matches(Array("a.y".utf8)))
    #expect(HostPattern("x*").matches(Array("x".utf8)))
  }

  @Test func theCacheIsEmptiedWhenItIsFull() {
    var cache = HostCache(
      rules: RegionRules([RegionRule(name: "w", hosts: ["h1*"])]), ids: [RegionID(7)], hash: KeyedHash(seed: 1))
    for round in 0..<2 {
      for number in 0..<HostCache.hostsMax {
        let host = Array("h\(number)".utf8)
        let expected = "\(number)".hasPrefix("1") ? RegionID(7) : nil
        #expect(cache.region(ByteRange(0, host.count), of: host.span.bytes) == expected)
      }
      #expect(cache.flushes == 0, "round \(round)")
    }
    let host = Array("one-more".utf8)
    #expect(cache.region(ByteRange(0, host.count), of: host.span.bytes) == nil)
    #expect(cache.flushes == 1)
  }
}
