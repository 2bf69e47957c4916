import Foundation
import TLSEngine

/// A certificate with its key, as PEM text.
struct Identity: Sendable {
  var certificate: [UInt8]
  var key: [UInt8]
}

/// What a leaf certificate says.
struct Leaf: Sendable {
  var subject = "/CN=leaf"
  /// In the notation of openssl's `subjectAltName`; empty: the certificate has none.
  var names = ["DNS:collector.example.com"]
  /// In the notation of openssl's `extendedKeyUsage`; empty: the certificate has none.
  var usage = "serverAuth,clientAuth"
  var start = "20200101000000Z"
  var end = "20991231235959Z"
  var algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
}

/// A certificate authority that lives for one test run.
struct Authority: Sendable {
  let identity: Identity
  var trust: PEMSource { .bytes(identity.certificate) }

  /// The authority that both sides of most tests trust, and one that they do not.
  static let ours = Result { try Authority(subject: "/CN=Our Root") }
  static let foreign = Result { try Authority(subject: "/CN=Foreign Root") }

  init(subject: String) throws {
    identity = try OpenSSLTool.withFolder { folder in
      let leaf = Leaf()
      try OpenSSLTool.run(
        ["req", "-x509", "-nodes", "-days", "3650", "-subj", subject, "-keyout", "key.pem", "-out", "cert.pem"]
          + ["-addext", "keyUsage=critical,keyCertSign,cRLSign"] + leaf.algorithm, in: folder)
      return try Identity(folder)
    }
  }

  init(_ identity: Identity) { self.identity = identity }

  /// Signs an intermediate authority.
  func authority(subject: String) throws -> Authority {
    try Authority(
      sign(Leaf(subject: subject), extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"]))
  }

  /// Signs a leaf.
  func issue(_ leaf: Leaf = Leaf()) throws -> Identity {
    var extensions = ["basicConstraints=critical,CA:FALSE"]
    if !leaf.usage.isEmpty { extensions.append("extendedKeyUsage=\(leaf.usage)") }
    if !leaf.names.isEmpty { extensions.append("subjectAltName=\(leaf.names.joined(separator: ","))") }
    return try sign(leaf, extensions: extensions)
  }

  /// A certificate that is its own issuer.
  static func selfSigned(_ leaf: Leaf = Leaf()) throws -> Identity {
    try OpenSSLTool.withFolder { folder in
      try OpenSSLTool.run(
        ["req", "-x509", "-nodes", "-days", "3650", "-subj", leaf.subject, "-keyout", "key.pem", "-out", "cert.pem"]
          + ["-addext", "subjectAltName=\(leaf.names.joined(separator: ","))"]
          + ["-addext", "basicConstraints=critical,CA:FALSE"] + leaf.algorithm, in: folder)
      return try Identity(folder)
    }
  }

  private func sign(_ leaf: Leaf, extensions: [String]) throws -> Identity {
    try OpenSSLTool.withFolder { folder in
      let configuration = """
        [ca]
        default_ca = authority
        [authority]
        database = index.txt
        new_certs_dir = .
        rand_serial = yes
        default_md = sha256
        policy = anything
        x509_extensions = leaf
        [anything]
        commonName = supplied
        [leaf]
        \(extensions.joined(separator: "\n"))

        """
      try Data(configuration.utf8).write(to: folder.appendingPathComponent("ca.conf"))
      try Data().write(to: folder.appendingPathComponent("index.txt"))
      try Data(identity.certificate).write(to: folder.appendingPathComponent("ca.pem"))
      try Data(identity.key).write(to: folder.appendingPathComponent("ca.key"))
      try OpenSSLTool.run(
        ["req", "-new", "-nodes", "-subj", leaf.subject, "-keyout", "key.pem", "-out", "leaf.csr"] + leaf.algorithm,
        in: folder)
      try OpenSSLTool.run(
        ["ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "leaf.csr"]
          + ["-out", "cert.pem", "-startdate", leaf.start, "-enddate", leaf.end], in: folder)
      return try Identity(folder)
    }
  }
}

extension Identity {
  fileprivate init(_ folder: URL) throws {
    certificate = try [UInt8](Data(contentsOf: folder.appendingPathComponent("cert.pem")))
    key = try [UInt8](Data(contentsOf: folder.appendingPathComponent("key.pem")))
  }
}
