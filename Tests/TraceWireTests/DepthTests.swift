import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("Nesting and lengths")
struct DepthTests {
  enum Container: UInt8, CaseIterable { case array = 0x2a, list = 0x32 }

  /// A span attribute whose value is so many arrays or lists inside each other. Made from the inside out.
  static func nested(_ levels: Int, _ container: Container) -> [UInt8] {
    var reversed: [UInt8] = []
    func wrap(_ tag: UInt8) {
      var length: [UInt8] = []
      length.appendVarint(UInt64(reversed.count))
      reversed += length.reversed()
      reversed.append(tag)
    }
    for _ in 0..<levels {
      if container == .array {
        wrap(0x0a)
      } else {
        wrap(0x12)
        wrap(0x0a)
      }
      wrap(container.rawValue)
    }
    for tag in [0x12, 0x4a, 0x12, 0x12, 0x0a] as [UInt8] { wrap(tag) }
    return reversed.reversed()
  }

  static func fault(_ bytes: [UInt8]) -> WireFault.Kind? {
    var facts = RequestFacts()
    return MutationTests.fault(bytes, &facts)?.kind
  }

  @Test("the deepest value that swift-protobuf takes is taken, one more is not", arguments: Container.allCases)
  func limit(container: Container) throws {
    let levels = container == .array ? 47 : 31
    for count in (levels - 3)...(levels + 3) {
      let bytes = Self.nested(count, container)
      let isAccepted = (try? Request(serializedBytes: bytes)) != nil
      #expect(isAccepted == (count <= levels))
      #expect(Self.fault(bytes) == (isAccepted ? nil : .tooDeep), "\(count) levels")
    }
  }

  @Test("20 000 nested values are refused", arguments: Container.allCases)
  func bomb(container: Container) { #expect(Self.fault(Self.nested(20_000, container)) == .tooDeep) }

  @Test("groups count as messages do")
  func groups() {
    func groups(_ count: Int) -> [UInt8] {
      Array(repeating: 0x1b, count: count) + Array(repeating: 0x1c, count: count)
    }
    #expect(Self.fault(groups(99)) == nil)
    #expect((try? Request(serializedBytes: groups(99))) != nil)
    #expect(Self.fault(groups(100)) == .tooDeep)
    #expect((try? Request(serializedBytes: groups(100))) == nil)
    #expect(Self.fault(groups(20_000)) == .tooDeep)
  }

  @Test(
    "lengths past the end, up to the largest number, are refused",
    arguments: [3, 0x7f, 1 << 31, 1 << 32, 1 << 63, .max])
  func lengths(length: UInt64) {
    for tag in [0x0a, 0x7a] as [UInt8] {
      var bytes = [tag]
      bytes.appendVarint(length)
      bytes += [0, 0]
      #expect(Self.fault(bytes) == .badLength)
    }
  }

  @Test("tags that no field can have are refused")
  func tags() {
    #expect(Self.fault([0x00, 0x00]) == .badTag)
    #expect(Self.fault([0x02, 0x00]) == .badTag)
    #expect(Self.fault([0x80, 0x80, 0x80, 0x80, 0x10, 0x00]) == .badTag)
    #expect(Self.fault([0x0e]) == .badWireType)
    #expect(Self.fault([0x0f]) == .badWireType)
    #expect(Self.fault([0x0c]) == .badWireType)
    #expect(Self.fault([0x1b, 0x24]) == .badWireType)
    #expect(Self.fault([0x1b]) == .truncated)
    #expect(Self.fault([0x11, 1, 2, 3]) == .truncated)
    #expect(Self.fault([0x0d, 1, 2, 3]) == .truncated)
  }

  @Test("a varint of ten bytes is read, one of eleven is not")
  func varints() {
    let nine = Array(repeating: 0xff as UInt8, count: 9)
    #expect(Self.fault([0x18] + nine + [0x7f]) == nil)
    #expect(Self.fault([0x18] + nine + [0x80, 0x00]) == .badVarint)
    #expect(Self.fault([0x18] + nine) == .truncated)
  }
}
