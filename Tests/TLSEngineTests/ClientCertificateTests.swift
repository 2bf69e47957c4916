import Testing

@testable import TLSEngine

@Suite("Client certificates")
struct ClientCertificateTests {
  @Test("The right certificate is accepted", arguments: TLSVersion.allCases)
  func right(version: TLSVersion) throws {
    let link = try mutualHandshake(Authority.ours.get().issue(), version: version)
    #expect(link.client.fault == nil && link.server.fault == nil)
    #expect(link.client.session.isEstablished && link.server.session.isEstablished)
    #expect(link.server.session.peerIsAuthenticated)
    #expect(link.server.session.protocolVersion == "TLSv\(version.rawValue)")
    #expect(link.server.session.peerRegion == nil)
  }

  @Test("A client without a certificate is refused and told so", arguments: TLSVersion.allCases)
  func none(version: TLSVersion) throws {
    let link = try mutualHandshake(nil, version: version)
    #expect(link.server.fault == TLSFault(.verificationFailed, "no client certificate"))
    #expect(!link.server.session.isEstablished && !link.server.session.peerIsAuthenticated)
    #expect(link.client.fault?.kind == .refusedByPeer)
    #expect(link.client.fault?.alert == (version == .tls13 ? 116 : 40))
    #expect(
      link.client.fault?.detail
        == (version == .tls13
          ? "certificate required: the peer demands a certificate and this side showed none" : "handshake failure"))
    #expect(!link.client.session.isEstablished)
  }

  @Test("Certificates that do not verify are refused", arguments: TLSVersion.allCases)
  func wrong(version: TLSVersion) throws {
    let ours = try Authority.ours.get()
    for (identity, detail, told) in try [
      (
        Authority.foreign.get().issue(),
        "unable to get local issuer certificate: "
          + "no trusted authority issued it, or an intermediate certificate was not sent", "does not trust"
      ),
      (
        Authority.selfSigned(), "self-signed certificate: it is not among the trusted ones", "does not trust"
      ),
      (ours.issue(Leaf(end: "20210101000000Z")), "certificate has expired", "has expired"),
      (
        ours.issue(Leaf(start: "20980101000000Z")),
        "certificate is not yet valid: unless this machine's clock is wrong", "was not accepted"
      ),
      (
        ours.issue(Leaf(usage: "serverAuth")),
        "unsuitable certificate purpose: its extended key usage does not allow a TLS client", "is not for this use"
      ),
    ] {
      let link = try mutualHandshake(identity, version: version)
      #expect(link.server.fault?.kind == .verificationFailed)
      #expect(link.server.fault?.detail == detail)
      #expect(!link.server.session.peerIsAuthenticated)
      #expect(link.client.fault?.kind == .refusedByPeer, "\(detail)")
      #expect(link.client.fault?.detail.contains(told) == true, "\(link.client.fault?.detail ?? "") \(told)")
    }
  }

  @Test("A certificate that nobody asks for is not shown")
  func unasked() throws {
    let ours = try Authority.ours.get()
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: ours.trust, identity: ours.issue())),
      server: TLSContext(server: TLSServerConfiguration(ours.issue()))
    ).shakeHands()
    #expect(link.server.session.isEstablished && !link.server.session.peerIsAuthenticated)
  }
}

@Suite("The region a client speaks for")
struct PeerRegionTests {
  private func link(_ names: [String]) throws -> Link {
    try mutualHandshake(Authority.ours.get().issue(Leaf(names: names)))
  }

  @Test("A region is read from the one SPIFFE ID of a verified certificate")
  func named() throws {
    for names in [
      ["URI:spiffe://longspan.example/region/us-east-1"],
      ["DNS:relay", "URI:https://relay/region/x", "URI:spiffe://longspan.example/region/us-east-1", "IP:10.0.0.1"],
    ] {
      let link = try link(names)
      #expect(link.server.session.isEstablished)
      #expect(link.server.session.peerRegion == "us-east-1")
    }
  }

  @Test("A certificate without a SPIFFE ID about a region names none")
  func unnamed() throws {
    for names in [
      ["DNS:relay"], ["URI:https://spiffe/region/x"], ["URI:spiffe://longspan.example/ns/default/sa/relay"],
    ] {
      let link = try link(names)
      #expect(link.server.session.isEstablished && link.server.session.peerIsAuthenticated, "\(names)")
      #expect(link.server.session.peerRegion == nil, "\(names)")
    }
  }

  @Test("A certificate whose region cannot be read does not pass for one without")
  func ambiguous() throws {
    for names in [
      ["URI:spiffe://a/region/us-east-1", "URI:spiffe://a/region/eu-west-1"],
      ["URI:spiffe://a/region/us-east-1", "URI:spiffe://a/ns/b"],
      ["URI:spiffe://a/region/us-east-1/"],
      ["URI:SPIFFE://a/region/us-east-1"],
    ] {
      let link = try link(names)
      #expect(link.server.fault?.kind == .verificationFailed, "\(names)")
      #expect(link.server.fault?.detail == "certificate does not name one valid SPIFFE ID")
      #expect(!link.server.session.isEstablished && link.server.session.peerRegion == nil)
      #expect(link.client.fault?.kind == .refusedByPeer)
    }
  }

  @Test("SPIFFE IDs are read strictly")
  func grammar() {
    let longest = "spiffe://a/region/" + String(repeating: "r", count: 2048 - 18)
    let longDomain = String(repeating: "d", count: 255)
    for (uri, expected) in [
      ("spiffe://a/region/us-east-1", PeerRegion.region("us-east-1")),
      ("spiffe://A.b-c_d/region/R.1_2-3", .region("R.1_2-3")),
      ("spiffe://\(longDomain)/region/r", .region("r")),
      (longest, .region(String(longest.dropFirst(18)))),
      ("spiffe://a", .none), ("spiffe://a/x", .none), ("spiffe://a/regions/x", .none), ("spiffe://a/Region/x", .none),
      ("spiffe://a/x/region/y", .none), ("https://a/region/x", .none), ("spiff://a/region/x", .none), ("", .none),
      ("spiffe:", .invalid), ("spiffe://", .invalid), ("spiffe:///region/x", .invalid),
      ("spiffe:/a/region/x", .invalid),
      ("Spiffe://a/region/x", .invalid), ("spiffe://a/", .invalid), ("spiffe://a/region", .invalid),
      ("spiffe://a/region/", .invalid), ("spiffe://a/region/x/y", .invalid), ("spiffe://a//region/x", .invalid),
      ("spiffe://a/region/..", .invalid), ("spiffe://a/./region/x", .invalid), ("spiffe://a/region/x?y", .invalid),
      ("spiffe://a/region/x#y", .invalid), ("spiffe://a/region/%78", .invalid), ("spiffe://a/region/x y", .invalid),
      ("spiffe://a/region/x\u{0}", .invalid), ("spiffe://u@a/region/x", .invalid), ("spiffe://a:1/region/x", .invalid),
      ("spiffe://a/region/é", .invalid), ("spiffe://\(longDomain)d/region/r", .invalid), (longest + "r", .invalid),
    ] {
      #expect(PeerRegion(uris: [Array(uri.utf8)]) == expected, "\(uri)")
    }
  }
}
