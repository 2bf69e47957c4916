import Tenancy
import Testing

@testable import Gateway

/// The `tenants` section, on both roles.
@Suite struct TenantsConfigurationTests {
  private let fixture = ConfigurationFixture()

  @Test func itIsOffUnlessItIsNamed() throws {
    #expect(try fixture.relay(leastRelay).configuration.tenants == nil)
    #expect(try fixture.aggregator("").configuration.tenants == nil)
    #expect(try fixture.aggregator("tenants:").configuration.tenants == TenantsConfiguration())
    let standard = try #require(try fixture.relay(leastRelay + "tenants: {}").configuration.tenants)
    #expect(standard.header == "X-Scope-OrgID" && !standard.required && standard.default == nil)
    #expect(standard.max == 1000)
    #expect(standard.rules.limits == TenantLimits() && standard.rules.header == "x-scope-orgid")
  }

  @Test func everyKey() throws {
    let text = """
      tenants:
        header: X-Team
        default: 0123
        max: 7
        limits: {spans_per_second: 1000, bytes_per_second: 1e6, burst: 2s}
        overrides:
          large: {spans_per_second: 0, burst: 5s}
          4711: {bytes_per_second: 0.5}
      """
    for tenants in [
      try fixture.relay(leastRelay + text).configuration.tenants, try fixture.aggregator(text).configuration.tenants,
    ] {
      let rules = try #require(tenants).rules
      #expect(rules.header == "x-team" && rules.fallback == "0123" && rules.tenantsMax == 7 && !rules.isRequired)
      #expect(
        rules.limits == TenantLimits(spansPerSecond: 1000, bytesPerSecond: 1_000_000, burst: .seconds(2)))
      #expect(
        rules.overrides == [
          "large": TenantLimits(bytesPerSecond: 1_000_000, burst: .seconds(5)),
          "4711": TenantLimits(spansPerSecond: 1000, bytesPerSecond: 0.5, burst: .seconds(2)),
        ])
    }
  }

  @Test(arguments: [
    ("{header: content-type}", "tenants.header"), ("{header: X Team}", "tenants.header"),
    ("{header: authorization}", "tenants.header"), ("{header: grpc-timeout}", "tenants.header"),
    ("{header: longspan-batch}", "tenants.header"), ("{header: team-bin}", "tenants.header"),
    ("{default: a b}", "tenants.default"), ("{default: ..}", "tenants.default"),
    ("{required: maybe}", "tenants.required"), ("{required: true, default: a}", "tenants.required"),
    ("{max: 0}", "tenants.max"), ("{max: 50001}", "tenants.max"),
    ("{limits: {spans_per_second: -1}}", "tenants.limits.spans_per_second"),
    ("{limits: {bytes_per_second: many}}", "tenants.limits.bytes_per_second"),
    ("{limits: {burst: 1ms}}", "tenants.limits.burst"), ("{limits: {spans: 1}}", "tenants.limits.spans"),
    ("{overrides: {a/b: {}}}", "tenants.overrides.a/b"),
    ("{max: 1, overrides: {a: {}, b: {}}}", "tenants.overrides"), ("{tenant: a}", "tenants.tenant"),
  ]) func whatIsImpossible(_ section: String, _ key: String) {
    for errors in [
      fixture.relayErrors(leastRelay + "tenants: \(section)"), fixture.aggregatorErrors("tenants: \(section)"),
    ] {
      #expect(errors.count == 1 && errors[0].contains(key), "\(errors)")
    }
  }
}
