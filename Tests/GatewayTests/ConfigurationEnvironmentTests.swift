import Gateway
import Policy
import Testing
import TraceWire

@Suite struct ConfigurationEnvironmentTests {
  private let fixture = ConfigurationFixture(environment: [
    "REGION": "eu-west-1", "PORT": "4317", "HOST": "aggregator", "PARAM": "0.25", "FLAG": "true", "EMPTY": "", "N": "7",
    "DOLLAR": "$${env:N}",
  ])

  @Test func expandsInValuesOfEveryType() throws {
    let value = try fixture.relay(
      """
      region: ${env:REGION}
      sampling: {param: "${env:PARAM}"}
      limits:
        max_connections: ${env:N}
      routes: [{from: "${env:REGION}", to: "x-${env:UNSET:-y}-z", sampling: 1}]
      exporters:
        otlp: {endpoint: "${env:HOST}:${env:PORT}", tls: {insecure: "${env:FLAG}"}, connections: "${N}"}
      """
    ).configuration
    #expect(value.region == "eu-west-1")
    #expect(value.sampling.probability == 0.25)
    #expect(value.limits.maxConnections == 7)
    #expect(value.routes.first?.from == "eu-west-1")
    #expect(value.routes.first?.to == "x-y-z")
    #expect(value.exporter.host == "aggregator")
    #expect(value.exporter.port == 4317)
    #expect(value.exporter.connections == 7)
    #expect(value.exporter.tls == nil)
  }

  @Test func numbersFromTheEnvironmentMayBeStrings() throws {
    let value = try fixture.relay(
      leastRelay
        + """
        processors:
          resource:
            attributes:
              - key: ${env:N}
                value: ${env:N}
                action: insert
              - {key: a, value: "${env:N}", action: insert}
        """
    ).configuration
    #expect(value.editing.rules.resource.map(\.key) == ["7", "a"])
    #expect(value.editing.rules.resource.map(\.value) == [.int(7), .string("7")])
  }

  @Test(arguments: [
    ("a$$b", "a$b"), ("$${env:N}", "${env:N}"), ("a$b", "a$b"), ("cost$", "cost$"), ("$$${env:N}", "$7"),
    ("${env:UNSET:-}x", "x"), ("${env:EMPTY:-y}x", "x"), ("${env:UNSET:-a:-b}", "a:-b"), ("${UNSET:-d}", "d"),
    ("${env:DOLLAR}", "$${env:N}"),
  ])
  func dollarSigns(text: String, expected: String) throws {
    let value = try fixture.relay(leastRelay + "context: {baggage: {prefix: '\(text)'}}").configuration
    #expect(value.baggage?.prefix == expected)
  }

  @Test(arguments: [
    ("${env:UNSET}", "the environment variable UNSET is not set; `${env:UNSET:-default}` gives it a default"),
    ("${env:N", "`${` without `}`; a dollar sign itself is written `$$`"),
    ("${env:1N}", "`${env:1N}` names no variable, allowed: ${env:NAME}, ${env:NAME:-default}"),
    ("${}", "`${}` names no variable, allowed: ${env:NAME}, ${env:NAME:-default}"),
    ("${file:/etc/passwd}", "unknown provider `file`, allowed: ${env:NAME}, ${env:NAME:-default}"),
    ("${env:N:-${env:N}}", "the default of N holds another `${`; references do not nest"),
  ])
  func faultsNameFileLineAndKey(text: String, fault: String) {
    let errors = fixture.relayErrors(leastRelay + "context:\n  baggage:\n    keys:\n      - ok\n      - '\(text)'\n")
    #expect(errors.first == "a.yaml:7: context.baggage.keys[1]: \(fault)")
  }

  @Test func emptyPlainValueIsNoValue() throws {
    let value = try fixture.relay(leastRelay + "log:\n  level: ${env:EMPTY}\nsampling: ${env:UNSET:-}\n").configuration
    #expect(value.log == LogConfiguration())
    #expect(value.sampling == SamplingConfiguration())
  }

  @Test func whatALaterFileReplacesIsNotExpanded() throws {
    let value = try fixture.relay("region: ${env:UNSET}", leastRelay).configuration
    #expect(value.region == "us-east-1")
  }
}
