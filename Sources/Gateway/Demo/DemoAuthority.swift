internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

/// A certificate authority that lives as long as the demo: made at start, kept nowhere but in the demo's own folder.
struct DemoAuthority {
  private let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
  private let name: DistinguishedName
  private let certificate: Certificate
  private let folder: URL

  /// The authority's certificate.
  let certificatePath: String

  /// Files of one identity.
  struct Identity {
    var certificatePath: String
    var keyPath: String
  }

  /// Makes an authority whose files lie in `folder`.
  init(in folder: URL) throws {
    self.folder = folder
    name = try DistinguishedName { CommonName("Longspan demo authority") }
    certificate = try Self.issue(
      subject: name, publicKey: key.publicKey, issuer: name, issuerKey: key,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      })
    certificatePath = folder.appending(path: "ca.pem").path
    try certificate.serializeAsPEM().pemString.write(toFile: certificatePath, atomically: true, encoding: .utf8)
  }

  /// A server's identity, good for `localhost`.
  func server() throws -> Identity {
    try identity("aggregator", usage: .serverAuth, names: [.dnsName("localhost")])
  }

  /// The identity of a region's relay: its certificate says which region it speaks for.
  func relay(of region: String) throws -> Identity {
    try identity(
      "relay-" + region, usage: .clientAuth,
      names: [.uniformResourceIdentifier("spiffe://longspan.example/region/\(region)")])
  }

  private func identity(
    _ label: String, usage: ExtendedKeyUsage.Usage, names: [GeneralName]
  ) throws -> Identity {
    let own = P256.Signing.PrivateKey()
    let leaf = try Self.issue(
      subject: try DistinguishedName { CommonName(label) }, publicKey: .init(own.publicKey), issuer: name,
      issuerKey: key,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([usage])
        SubjectAlternativeNames(names)
      })
    let identity = Identity(
      certificatePath: folder.appending(path: "\(label).pem").path,
      keyPath: folder.appending(path: "\(label)-key.pem").path)
    try leaf.serializeAsPEM().pemString.write(toFile: identity.certificatePath, atomically: true, encoding: .utf8)
    try own.pemRepresentation.write(toFile: identity.keyPath, atomically: true, encoding: .utf8)
    return identity
  }

  private static func issue(
    subject: DistinguishedName, publicKey: Certificate.PublicKey, issuer: DistinguishedName,
    issuerKey: Certificate.PrivateKey, extensions: Certificate.Extensions
  ) throws -> Certificate {
    try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
      notValidBefore: Date.now - 60, notValidAfter: Date.now + 7 * 86400, issuer: issuer, subject: subject,
      signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: issuerKey)
  }
}
