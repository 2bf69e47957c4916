import Testing
import TraceWire

@testable import Policy

@Suite struct RegionDirectoryTests {
  private func intern(_ name: String, _ interner: inout RegionInterner) -> RegionID {
    let bytes = Array(name.utf8)
    return interner.intern(ByteRange(0, bytes.count), of: bytes.span.bytes)
  }

  @Test func oneTooManyIsTheOverflow() {
    let directory = RegionDirectory(peerNamesMax: 3, seed: 1)
    var interner = RegionInterner(directory: directory, hash: KeyedHash(seed: 2))
    var other = RegionInterner(directory: directory, hash: KeyedHash(seed: 3))
    let own = interner.register("own")
    let names = ["a", "b", "c"].map { intern($0, &interner) }
    #expect(Set(names + [own, .overflow]).count == 5)
    #expect(intern("d", &interner) == .overflow)
    #expect(intern("e", &interner) == .overflow)
    #expect(directory.overflows == 1, "a loop that knows the directory is full asks no more")
    #expect(interner.overflows == 1)
    #expect(["a", "b", "c"].map { intern($0, &other) } == names, "numbers mean the same to all loops")
    #expect(intern("own", &other) == own)
    #expect(intern("b", &interner) == names[1])
    let late = directory.register("configured later")
    #expect(late != .overflow)
    #expect(directory.name(late) == "configured later")
    #expect(directory.name(.overflow) == "__overflow__")
  }

  @Test func namesAreCappedInLengthAndRepaired() {
    let directory = RegionDirectory(seed: 1)
    var interner = RegionInterner(directory: directory, hash: KeyedHash(seed: 2))
    #expect(intern(String(repeating: "x", count: 256), &interner) != .overflow)
    #expect(intern(String(repeating: "x", count: 257), &interner) == .overflow)
    #expect(intern("after", &interner) != .overflow, "a long name does not close the table")
    let bytes: [UInt8] = [0x61, 0xff]
    let id = interner.intern(ByteRange(0, 2), of: bytes.span.bytes)
    #expect(directory.name(id) == "a\u{fffd}")
  }
}
