import Gateway
import Testing

/// The `limits` section.
@Suite struct LimitsTests {
  private let fixture = ConfigurationFixture()

  @Test func defaults() throws {
    let limits = try fixture.relay(leastRelay).configuration.limits
    #expect(limits == (try fixture.aggregator("limits: {}").configuration.limits))
    #expect(limits.maxConnectionsPerPeer == 256)
    #expect(limits.handshakeTimeout == .seconds(10))
    #expect(limits.headerTimeout == .seconds(10))
    #expect(limits.stallTimeout == .seconds(30))
    #expect(limits.requestTimeout == .seconds(300))
    #expect(limits.idleTimeout == .seconds(120))
  }

  @Test func everyKey() throws {
    let limits = try fixture.aggregator(
      """
      limits:
        max_connections_per_peer: 0
        handshake_timeout: 1s
        header_timeout: 2s
        stall_timeout: 10m
        idle_timeout: 100ms
      """
    ).configuration.limits
    #expect(limits.maxConnectionsPerPeer == 0)
    #expect(limits.handshakeTimeout == .seconds(1))
    #expect(limits.headerTimeout == .seconds(2))
    #expect(limits.stallTimeout == .seconds(600))
    #expect(limits.requestTimeout == .seconds(600), "not less than one stall")
    #expect(limits.idleTimeout == .milliseconds(100))
  }

  @Test(arguments: ["handshake", "header", "stall", "request", "idle"]) func tooShort(_ name: String) {
    #expect(
      fixture.relayErrors(leastRelay + "limits: {\(name)_timeout: 99ms}")
        == ["a.yaml:3: limits.\(name)_timeout: must be 100ms or more, not \"99ms\""])
  }
}
