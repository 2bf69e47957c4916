import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Policy

@Suite struct ResourceRulesTests {
  /// Runs actions over `key=value` attributes and shows what is left as text; a value in `<>` is a number.
  private func run(_ actions: [AttributeAction], on present: [String], stamp: String = "own") -> [String] {
    let resource = OTLPResource.with {
      $0.attributes = present.map { attribute in
        let parts = attribute.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts[1].hasPrefix("<") else { return OTLPAttribute(parts[0], parts[1]) }
        return .with {
          $0.key = parts[0]
          $0.value.intValue = 7
        }
      }
    }
    do {
      let bytes: [UInt8] = try resource.serializedBytes()
      var (list, splice, growth) = (AttributeList(), MessageSplice(), GrowthLimit())
      growth.begin(requestBytes: 0)
      var rules = ResourceRules([], actions)
      let range = ByteRange(0, bytes.count)
      try list.load(range, of: bytes.span.bytes, owner: .resource)
      try rules.run(on: &list, in: bytes.span.bytes, stamp: Array(stamp.utf8), growth: &growth)
      list.emit(tag: 0x0a, to: &splice)
      var output: [UInt8] = []
      _ = splice.append(range, of: bytes.span.bytes, to: &output)
      return try OTLPResource(serializedBytes: output).attributes.map(text)
    } catch {
      return ["\(error)"]
    }
  }

  private func text(_ attribute: OTLPAttribute) -> String {
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
    let action = AttributeAction(.insert, key: "k", value: .string("v"))
    #expect(run([action], on: [home]) == [home, "k=v"])
    #expect(run([action], on: [home, "k=old"]) == [home, "k=old"])
  }

  @Test func updateChangesOnlyWhatIsPresent() {
    let action = AttributeAction(.update, key: "k", value: .int(7))
    #expect(run([action], on: [home]) == [home])
    #expect(run([action], on: ["k=old", home]) == [home, "k=7"])
    #expect(run([action], on: ["k=old", home, "k=again"]) == [home, "k=7"])
  }

  @Test func upsertDoesEither() {
    let action = AttributeAction(.upsert, key: "k", value: .bool(true))
    #expect(run([action], on: [home]) == [home, "k=true"])
    #expect(run([action], on: ["k=old", home]) == [home, "k=true"])
  }

  @Test func deleteRemoves() {
    let action = AttributeAction(.delete, key: "k")
    #expect(run([action], on: [home]) == [home])
    #expect(run([action], on: ["k=1", home, "k=2"]) == [home])
  }

  @Test func eachActionSeesWhatTheOnesBeforeLeft() {
    let actions = [
      AttributeAction(.insert, key: "k", value: .string("1")), AttributeAction(.update, key: "k", value: .string("2")),
      AttributeAction(.delete, key: "m"), AttributeAction(.insert, key: "m", value: .double(0.5)),
      AttributeAction(.upsert, key: "n", value: .string("x")), AttributeAction(.delete, key: "n"),
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
    let set = AttributeAction(.insert, key: "cloud.region", value: .string("mine"))
    #expect(run([set], on: []) == ["cloud.region=mine"])
    #expect(run([AttributeAction(.delete, key: "region")], on: ["region=x"], stamp: "x") == ["cloud.region=x"])
    #expect(
      run([AttributeAction(.upsert, key: "region", value: .int(1))], on: [home]) == ["region=1", "cloud.region=own"])
  }
}
