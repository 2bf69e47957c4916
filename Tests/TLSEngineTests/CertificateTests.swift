import Testing

@testable import TLSEngine

@Suite("Server certificates")
struct CertificateTests {
  private let unknownIssuer =
    "unable to get local issuer certificate: "
    + "no trusted authority issued it, or an intermediate certificate was not sent"

  private func refusal(_ identity: Identity) throws -> Link {
    try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: Authority.ours.get().trust)),
      server: TLSContext(server: TLSServerConfiguration(identity))
    ).shakeHands()
  }

  @Test("A certificate outside its time is refused")
  func validity() throws {
    let expired = try handshake(Leaf(end: "20210101000000Z"))
    #expect(expired.client.fault == TLSFault(.verificationFailed, "certificate has expired", verifyCode: 10))
    #expect(expired.server.fault?.alert == 45, "certificate_expired")
    let early = try handshake(Leaf(start: "20980101000000Z"))
    #expect(early.client.fault?.verifyCode == 9)
    #expect(early.client.fault?.detail == "certificate is not yet valid: unless this machine's clock is wrong")
  }

  @Test("A certificate for the other side is refused")
  func purpose() throws {
    for usage in ["clientAuth", "emailProtection"] {
      let link = try handshake(Leaf(usage: usage))
      let words = "unsuitable certificate purpose: its extended key usage does not allow a TLS server"
      #expect(link.client.fault?.detail == words, "\(usage)")
    }
    for usage in ["", "serverAuth"] {
      #expect(try handshake(Leaf(usage: usage)).client.session.isEstablished, "\(usage)")
    }
  }

  @Test("A certificate of an authority that is not trusted is refused")
  func strangers() throws {
    let foreign = try refusal(Authority.foreign.get().issue())
    #expect(foreign.client.fault?.detail == unknownIssuer)
    #expect(foreign.server.fault?.alert == 48, "unknown_ca")
    let own = try refusal(Authority.selfSigned())
    #expect(own.client.fault?.detail == "self-signed certificate: it is not among the trusted ones")
    #expect(own.server.fault?.kind == .refusedByPeer)
  }

  @Test("A self-signed certificate that is itself trusted is accepted")
  func pinned() throws {
    let own = try Authority.selfSigned()
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: .bytes(own.certificate))),
      server: TLSContext(server: TLSServerConfiguration(own))
    ).shakeHands()
    #expect(link.client.session.isEstablished && link.server.session.isEstablished)
  }

  @Test("An intermediate must be sent, or be trusted on its own")
  func intermediates() throws {
    let ours = try Authority.ours.get()
    let intermediate = try ours.authority(subject: "/CN=Our Intermediate")
    let leaf = try intermediate.issue()
    #expect(try refusal(leaf).client.fault?.detail == unknownIssuer)
    let chain = Identity(certificate: leaf.certificate + intermediate.identity.certificate, key: leaf.key)
    #expect(try refusal(chain).client.session.isEstablished)
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: intermediate.trust)),
      server: TLSContext(server: TLSServerConfiguration(leaf))
    ).shakeHands()
    #expect(link.client.session.isEstablished)
  }

  @Test("A leaf cannot sign another leaf")
  func leafAsAuthority() throws {
    let leaf = try Authority.ours.get().issue()
    let child = try Authority(leaf).issue()
    let chain = Identity(certificate: child.certificate + leaf.certificate, key: child.key)
    #expect(try refusal(chain).client.fault?.kind == .verificationFailed)
  }

  @Test("The system's trust store does not know our authority")
  func systemTrust() throws {
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(serverName: collectorName)),
      server: TLSContext(server: TLSServerConfiguration(Authority.ours.get().issue()))
    ).shakeHands()
    #expect(link.client.fault?.detail == unknownIssuer)
  }

  @Test("A context tells when its certificate expires")
  func expiry() throws {
    let ours = try Authority.ours.get()
    let server = try TLSContext(server: TLSServerConfiguration(ours.issue(Leaf(end: "20380119031408Z"))))
    #expect(server.certificateExpiry == 1 << 31)
    let past = try TLSContext(
      server: TLSServerConfiguration(ours.issue(Leaf(start: "20200101000000Z", end: "20210101000000Z"))))
    #expect(past.certificateExpiry == 1_609_459_200)
    #expect(try TLSContext(client: TLSClientConfiguration(trusting: ours.trust)).certificateExpiry == nil)
  }

  @Test("RSA and Ed25519 keys work as well")
  func keyTypes() throws {
    for algorithm in [["-newkey", "rsa:2048"], ["-newkey", "ed25519"]] {
      #expect(try handshake(Leaf(algorithm: algorithm)).client.session.isEstablished, "\(algorithm)")
    }
  }
}
