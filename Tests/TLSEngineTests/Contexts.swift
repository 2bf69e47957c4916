@testable import TLSEngine

/// The name that most tests' server certificates are for.
let collectorName = "collector.example.com"

extension TLSServerConfiguration {
  init(_ identity: Identity, clientAuthorities: PEMSource? = nil) {
    self.init(
      certificate: .bytes(identity.certificate), key: .bytes(identity.key), clientAuthorities: clientAuthorities)
  }
}

extension TLSClientConfiguration {
  init(_ name: String = collectorName, trusting authorities: PEMSource, identity: Identity? = nil) {
    self.init(
      serverName: name, authorities: authorities, certificate: identity.map { .bytes($0.certificate) },
      key: identity.map { .bytes($0.key) })
  }
}

/// A server whose leaf is `leaf` and a client that expects `name`, after their handshake.
func handshake(_ leaf: Leaf, as name: String = collectorName) throws -> Link {
  let ours = try Authority.ours.get()
  return try Link(
    client: TLSContext(client: TLSClientConfiguration(name, trusting: ours.trust)),
    server: TLSContext(server: TLSServerConfiguration(ours.issue(leaf)))
  ).shakeHands()
}

/// A server that demands certificates of our authority and a client that shows `identity`, after their handshake.
func mutualHandshake(_ identity: Identity?, version: TLSVersion = .tls13) throws -> Link {
  let ours = try Authority.ours.get()
  var server = TLSServerConfiguration(try ours.issue(), clientAuthorities: ours.trust)
  var client = TLSClientConfiguration(trusting: ours.trust, identity: identity)
  client.minimumVersion = version
  server.minimumVersion = .tls12
  server.maximumVersion = version
  return try Link(client: TLSContext(client: client), server: TLSContext(server: server)).shakeHands()
}
