import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Policy

@Suite struct ResourceRulesTests {
  /// Runs actions over `key=value` attributes and shows what is left as text; a value in `<>` is not a string.
  private func run(_ actions: [ResourceAction], on present: [String], stamp: String = "own") -> [String] {
    let attributes = present.enumerated().map { ordinal, attribute in
      let parts = attribute.split(separator: "=", omittingEmptySubsequences: false)
      return ResourceRules.Attribute(
        key: Array(parts[0].utf8), isText: !parts[1].isEmpty && !parts[1].hasPrefix("<"), ordinal: ordinal)
    }
    let encoded = KeyValueEncoder.encode(key: "cloud.region", value: .string(stamp))
    let outcome = ResourceRules(actions).outcome(for: attributes, stamp: encoded)
    let kept = present.enumerated().filter { !outcome.dropped.contains($0.offset) }.map(\.element)
    return kept + outcome.added.map(text)
  }

  private func text(_ encoded: [UInt8]) -> String {
    guard let attribute = try? OTLPAttribute(serializedBytes: encoded) else { return "unreadable" }
    switch attribute.value.value {
    case .stringValue(let text): return "\(attribute.key)=\(text)"
    case .boolValue(let flag): return "\(attribute.key)=\(flag)"
    case .intValue(let number): return "\(attribute.key)=\(number)"
    case .doubleValue(let number): return "\(attribute.key)=\(number)"
    default: return "\(attribute.key)=?"
    }
  }

  private let home = "region=r"

  @Test func insertAddsOnlyWhatIsAbsent() {
    let action = ResourceAction(.insert, key: "k", value: .string("v"))
    #expect(run([action], on: [home]) == [home, "k=v"])
    #expect(run([action], on: [home, "k=old"]) == [home, "k=old"])
  }

  @Test func updateChangesOnlyWhatIsPresent() {
    let action = ResourceAction(.update, key: "k", value: .int(7))
    #expect(run([action], on: [home]) == [home])
    #expect(run([action], on: ["k=old", home]) == [home, "k=7"])
    #expect(run([action], on: ["k=old", home, "k=again"]) == [home, "k=7"])
  }

  @Test func upsertDoesEither() {
    let action = ResourceAction(.upsert, key: "k", value: .bool(true))
    #expect(run([action], on: [home]) == [home, "k=true"])
    #expect(run([action], on: ["k=old", home]) == [home, "k=true"])
  }

  @Test func deleteRemoves() {
    let action = ResourceAction(.delete, key: "k")
    #expect(run([action], on: [home]) == [home])
    #expect(run([action], on: ["k=1", home, "k=2"]) == [home])
  }

  @Test func eachActionSeesWhatTheOnesBeforeLeft() {
    let actions = [
      ResourceAction(.insert, key: "k", value: .string("1")), ResourceAction(.update, key: "k", value: .string("2")),
      ResourceAction(.delete, key: "m"), ResourceAction(.insert, key: "m", value: .double(0.5)),
      ResourceAction(.upsert, key: "n", value: .string("x")), ResourceAction(.delete, key: "n"),
    ]
    #expect(run(actions, on: [home, "m=old"]) == [home, "k=2", "m=0.5"])
  }

  @Test(arguments: ["region", "cloud.region", "deployment.region", "topology.kubernetes.io/region"])
  func aResourceThatNamesItsRegionIsLeftAlone(key: String) {
    #expect(run([], on: ["service.name=s", "\(key)=x"]) == ["service.name=s", "\(key)=x"])
  }

  @Test func theRegionIsStampedWhereNoneIsLeft() {
    #expect(run([], on: []) == ["cloud.region=own"])
    #expect(run([], on: ["service.name=s"]) == ["service.name=s", "cloud.region=own"])
    #expect(run([], on: ["cloud.region="]) == ["cloud.region=own"], "an empty one is replaced, not doubled")
    #expect(run([], on: ["cloud.region=<7>", "region="]) == ["region=", "cloud.region=own"])
  }

  @Test func theStampComesAfterTheActions() {
    let set = ResourceAction(.insert, key: "cloud.region", value: .string("mine"))
    #expect(run([set], on: []) == ["cloud.region=mine"])
    #expect(run([ResourceAction(.delete, key: "region")], on: ["region=x"], stamp: "x") == ["cloud.region=x"])
    #expect(
      run([ResourceAction(.upsert, key: "region", value: .int(1))], on: [home]) == ["region=1", "cloud.region=own"])
  }
}
