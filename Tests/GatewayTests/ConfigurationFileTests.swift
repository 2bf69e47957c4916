import Foundation
import Gateway
import Testing

/// Files: syntax, merging, the environment.
@Suite struct ConfigurationFileTests {
  private let fixture = ConfigurationFixture()

  @Test func syntaxErrorsNameTheLine() throws {
    let errors = fixture.relayErrors("region: a\nsampling: {param: 1\nroutes: []\n")
    try #require(errors.count == 1)
    #expect(errors[0].hasPrefix("a.yaml:3: not valid YAML: "))
    #expect(fixture.relayErrors("a: b\n\tc: d\n").first?.hasPrefix("a.yaml:2: not valid YAML: ") == true)
    #expect(fixture.relayErrors("a: *b\n").first == "a.yaml:1: not valid YAML: found undefined alias")
    #expect(fixture.relayErrors("a: 1\n---\nb: 1\n").first?.hasPrefix("a.yaml:2: not valid YAML: ") == true)
    #expect(fixture.relayErrors("a: 1\nb: \u{7}\n").first?.hasPrefix("a.yaml:2: not valid YAML: ") == true)
  }

  @Test func syntaxErrorsOfAllFilesAreTold() {
    let errors = fixture.relayErrors("a: [", "b: 1", "c: {")
    #expect(errors.map { $0.prefix(7) } == ["a.yaml:", "3.yaml:"])
  }

  @Test func filesMustBeMappings() {
    #expect(fixture.relayErrors("- a\n") == ["a.yaml:1: must be a mapping of keys to values"])
    #expect(fixture.relayErrors("word") == ["a.yaml:1: must be a mapping of keys to values"])
  }

  @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "{}", "~"]) func emptyFilesAreFine(text: String) throws {
    #expect(try fixture.relay(leastRelay, text).configuration.region == "us-east-1")
    #expect(try fixture.aggregator(text).configuration == AggregatorConfiguration())
  }

  @Test func duplicateKeysAreToldWithEverythingElse() {
    let errors = fixture.aggregatorErrors(
      """
      admin: {endpoint: "127.0.0.1:1", endpoint: "127.0.0.1:2"}
      stitching:
        idle_timeout: 1s
        # a comment
        "max_live_traces": 5
        idle_timeout: 2s
        max_live_traces: 6
      wrong: 1
      stitching: {}
      """)
    #expect(
      errors == [
        "a.yaml:1: admin.endpoint: duplicate key, it is already on line 1",
        "a.yaml:6: stitching.idle_timeout: duplicate key, it is already on line 3",
        "a.yaml:7: stitching.max_live_traces: duplicate key, it is already on line 5",
        "a.yaml:8: wrong: unknown key (allowed: admin, exporters, flow, limits, log, processors, receivers, "
          + "shutdown_timeout, stitching, tenants)",
        "a.yaml:9: stitching: duplicate key, it is already on line 2",
      ])
  }

  @Test func thriceIsTwiceTooOften() {
    #expect(
      fixture.aggregatorErrors("log: {}\nlog: {}\nlog: {}\n") == [
        "a.yaml:2: log: duplicate key, it is already on line 1",
        "a.yaml:3: log: duplicate key, it is already on line 1",
      ])
  }

  @Test func manyDuplicateKeysEnd() {
    let text = String(repeating: "log: {}\n", count: 1000)
    #expect(fixture.aggregatorErrors(text) == ["a.yaml:101: log: duplicate key"])
  }

  @Test func laterFilesWinKeyByKey() throws {
    let value = try fixture.relay(
      leastRelay + "routes: [{from: a, to: b, sampling: 1}]\nlimits: {max_connections: 5, max_request_mib: 1}\n",
      "region: eu-west-1\nlimits: {max_connections: 6}\nexporters: {otlp: {compression: gzip}}\n",
      "routes: [{from: c, to: d, sampling: 0}]\nlimits:\n"
    ).configuration
    #expect(value.region == "eu-west-1")
    #expect(value.exporter.host == "aggregator")
    #expect(value.exporter.compression == .gzip)
    #expect(value.routes == [RouteConfiguration(from: "c", to: "d", probability: 0)])
    // A key without a value takes back what was said before.
    #expect(value.limits == LimitsConfiguration())
    let kept = try fixture.relay(
      leastRelay + "limits: {max_connections: 5, max_request_mib: 1}", "limits: {max_connections: 6}")
    #expect(kept.configuration.limits.maxConnections == 6)
    #expect(kept.configuration.limits.maxRequestBytes == 1 << 20)
  }

  @Test func errorsNameTheFileTheyAreIn() {
    #expect(
      fixture.relayErrors("sampling:\n  mode: x\n  param: 5\n", leastRelay + "sampling: {param: 7}\n") == [
        "a.yaml:2: sampling.mode: must be one of equalizing, proportional, not \"x\"",
        "2.yaml:3: sampling.param: must be a probability from 0 to 1, not \"7\"",
      ])
  }

  @Test func missingFilesAreNamed() {
    let loader = ConfigurationLoader(environment: { _ in nil })
    let path = FileManager.default.temporaryDirectory.path + "/no such longspan.yaml"
    do {
      _ = try loader.relay(files: [path])
      Issue.record("there is no such file")
    } catch {
      #expect(error.description == "\(path): cannot be read: there is no such file")
    }
  }

  @Test func filesOfThisMachineAreRead() throws {
    let path = FileManager.default.temporaryDirectory.path + "/longspan-\(UInt64.random(in: 0 ... .max)).yaml"
    try Data(leastRelay.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try ConfigurationLoader().relay(files: [path]).configuration.region == "us-east-1")
    #expect(throws: ConfigurationErrors.self) {
      try ConfigurationLoader().relay(files: [FileManager.default.temporaryDirectory.path])
    }
  }

  @Test func textThatIsNotUTF8IsTold() {
    let loader = ConfigurationLoader(environment: { _ in nil }) { _ throws(ConfigurationFileError) in [0x61, 0xFF] }
    #expect(throws: ConfigurationErrors(issues: [ConfigurationIssue(file: "x", message: "is not UTF-8")])) {
      try loader.relay(files: ["x"])
    }
  }

  @Test func anchorsAndMergeKeysWork() throws {
    let value = try fixture.aggregator(
      """
      exporters:
        otlp/a: &base {endpoint: "a:1", timeout: 3s, tls: {insecure: true}}
        otlp/b:
          <<: *base
          endpoint: "b:2"
      """
    ).configuration
    #expect(value.exporters.map(\.name) == ["otlp/a", "otlp/b"])
    #expect(value.exporters.map(\.host) == ["a", "b"])
    #expect(value.exporters.map(\.timeout) == [.seconds(3), .seconds(3)])
    #expect(value.exporters.map(\.tls) == [nil, nil])
  }

  @Test func aliasesThatMultiplyAreRefused() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<9 {
      let previous = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(previous)]\n"
    }
    let errors = fixture.aggregatorErrors(text)
    #expect(errors.contains { $0.hasSuffix("the file has too many values, or too deep ones") })
  }

  @Test func deepNestingIsRefused() {
    let inside = fixture.aggregatorErrors("a: " + String(repeating: "[", count: 63) + String(repeating: "]", count: 63))
    #expect(inside.count == 1)
    #expect(!inside[0].contains("too deep"))
    let past = fixture.aggregatorErrors("a: " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65))
    #expect(fixture.aggregatorErrors("a: " + String(repeating: "[", count: 100_000)).count == 1)
    #expect(past.contains { $0.hasSuffix("the file has too many values, or too deep ones") })
  }
}
