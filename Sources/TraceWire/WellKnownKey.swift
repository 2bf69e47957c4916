/// The keys whose values are facts, in rank order where several serve one fact (see `SpanFacts`, `ResourceFacts`).
struct WellKnownKey {
  let key: String
  let fact: KeyMatch.Fact
  let rank: UInt8

  static let all: [WellKnownKey] =
    ranked(.service, "service.name")
    + ranked(.region, "region", "cloud.region", "deployment.region", "topology.kubernetes.io/region")
    + ranked(.calleeRegion, "peer.region", "server.region", "net.peer.region", "destination.region")
    + ranked(.callerRegion, "client.region", "source.region", "baggage.region")
    + ranked(.calleeHost, "server.address", "net.peer.name", "peer.service")
    + [WellKnownKey(key: "url.full", fact: .calleeURL, rank: 3)]
    + ranked(.callerHost, "client.address")
    + ranked(.peerAddress, "network.peer.address")
    + ranked(.error, "error")
    + ranked(.httpStatus, "http.response.status_code", "http.status_code")

  private static func ranked(_ fact: KeyMatch.Fact, _ keys: String...) -> [WellKnownKey] {
    keys.enumerated().map { WellKnownKey(key: $0.element, fact: fact, rank: UInt8($0.offset)) }
  }
}
