import Foundation
import Testing

/// What a certificate says that a test has issued with care: times, usage, names and signature may be wrong.
struct CertificateText: Sendable {
  var subject = "/CN=leaf"
  /// As openssl writes them: `DNS:localhost`, `IP:127.0.0.1`. Empty: the extension is missing.
  var names: [String] = []
  /// The extension's value instead of names, such as `DER:3000`.
  var rawNames: String?
  var usage = "serverAuth,clientAuth"
  var start = "20200101000000Z"
  var end = "20991231235959Z"
  var digest = "sha256"
  var key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

  fileprivate var extensions: [String] {
    var lines = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=\(usage)"]
    if let value = rawNames ?? (names.isEmpty ? nil : names.joined(separator: ",")) {
      lines.append("subjectAltName=" + value)
    }
    return lines
  }
}

extension Authority {
  /// Issues a certificate that says exactly this. `openssl ca` is the only command that lets one choose the times.
  func issue(_ text: CertificateText) async throws -> Identity {
    try await Self.sign(text, in: folder, as: Identity(certificate: certificate, key: key))
  }

  /// Signs with a certificate that is no authority's, and sends that one along.
  func issue(_ text: CertificateText, signedBy leaf: Identity) async throws -> Identity {
    let child = try await Self.sign(text, in: folder, as: leaf)
    let chain =
      try Data(contentsOf: URL(filePath: child.certificate)) + Data(contentsOf: URL(filePath: leaf.certificate))
    try chain.write(to: URL(filePath: child.certificate))
    return child
  }

  /// A certificate that is its own issuer.
  static func selfSigned(_ text: CertificateText) async throws -> Identity {
    let folder = try Root.temporaryFolder()
    let identity = Identity(
      certificate: folder.appending(path: "leaf.pem").path, key: folder.appending(path: "leaf.key").path)
    try await openssl(
      ["req", "-x509", "-nodes", "-days", "2", "-subj", text.subject, "-keyout", identity.key, "-out"]
        + [identity.certificate, "-newkey"] + text.key + text.extensions.flatMap { ["-addext", $0] })
    return identity
  }

  private static func sign(_ text: CertificateText, in parent: URL, as issuer: Identity) async throws -> Identity {
    let folder = parent.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func path(_ name: String) -> String { folder.appending(path: name).path }
    let configuration = """
      [ca]
      default_ca = authority
      [authority]
      database = \(path("index.txt"))
      new_certs_dir = \(folder.path)
      rand_serial = yes
      default_md = \(text.digest)
      policy = anything
      x509_extensions = leaf
      [anything]
      commonName = supplied
      [leaf]
      \(text.extensions.joined(separator: "\n"))

      """
    try Data(configuration.utf8).write(to: URL(filePath: path("ca.conf")))
    try Data().write(to: URL(filePath: path("index.txt")))
    let identity = Identity(certificate: path("leaf.pem"), key: path("leaf.key"))
    try await openssl(
      ["req", "-new", "-nodes", "-subj", text.subject, "-keyout", identity.key, "-out", path("leaf.csr"), "-newkey"]
        + text.key)
    try await openssl(
      ["ca", "-batch", "-notext", "-config", path("ca.conf"), "-cert", issuer.certificate, "-keyfile", issuer.key]
        + ["-in", path("leaf.csr"), "-out", identity.certificate, "-startdate", text.start, "-enddate", text.end])
    return identity
  }
}
