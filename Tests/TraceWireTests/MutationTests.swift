import SwiftProtobuf
import TestKit
import Testing
import TraceWire

/// Damaged requests. Two differences from swift-protobuf are wanted: text that is not UTF-8 is accepted (it is
/// forwarded as it came), and that parser gives up on lengths past 2 GiB that nothing here can have.
@Suite("Walk over damaged requests")
struct MutationTests {
  @Test("accepts and refuses what swift-protobuf does", arguments: 0..<100 as Range<UInt64>)
  func mutated(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let original = seed % 2 == 0 ? generator.requestBytes(spans: 6) : generator.weirdBytes(spans: 4)
    var facts = RequestFacts()
    for round in 0..<25 {
      let bytes = mutate(original, &generator.random)
      let fault = Self.fault(bytes, &facts)
      do {
        let oracle = try Request(serializedBytes: bytes)
        #expect(fault == nil, "seed \(seed) round \(round)")
        if fault == nil { compareWhereHostsAreKnown(bytes, oracle, seed, facts) }
      } catch BinaryDecodingError.invalidUTF8 {
        continue
      } catch {
        #expect(fault != nil, "seed \(seed) round \(round): \(error)")
        if let fault { #expect((0...bytes.count).contains(fault.offset)) }
      }
    }
  }

  @Test("every prefix of a request is read or refused like the oracle does")
  func truncated() throws {
    var generator = OTLPGenerator(seed: 7)
    let original = generator.weirdBytes(spans: 3)
    var facts = RequestFacts()
    for count in 0..<original.count {
      let bytes = Array(original.prefix(count))
      let isAccepted = (try? Request(serializedBytes: bytes)) != nil
      #expect((Self.fault(bytes, &facts) == nil) == isAccepted, "prefix of \(count)")
    }
  }

  static func fault(_ bytes: [UInt8], _ facts: inout RequestFacts) -> WireFault? {
    do throws(WireFault) {
      try facts.walk(bytes.span.bytes, keys: oracleKeys)
      return nil
    } catch {
      return error
    }
  }

  /// A changed URL has a host that the oracle's table does not know.
  private func compareWhereHostsAreKnown(_ bytes: [UInt8], _ oracle: Request, _ seed: UInt64, _ facts: RequestFacts) {
    var found = facts.spans.map { OracleSpan($0, in: bytes) }
    var wanted = OracleSpan.all(in: oracle)
    for index in found.indices { found[index].texts[3] = "" }
    for index in wanted.indices { wanted[index].texts[3] = "" }
    #expect(found == wanted, "seed \(seed)")
  }

  private func mutate(_ original: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let position = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(position...)
      case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[position] = UInt8.random(in: 0...255, using: &random)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
      default: bytes.remove(at: position)
      }
    }
    return bytes
  }
}
