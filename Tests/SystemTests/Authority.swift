import Foundation
import Testing

/// A certificate authority of one test, made by the openssl command.
struct Authority {
  /// A certificate and its key, as files.
  struct Identity {
    var certificate: String
    var key: String
  }

  let folder: URL
  /// The authority's own certificate.
  var certificate: String { folder.appending(path: "ca.pem").path }
  var key: String { folder.appending(path: "ca.key").path }

  init() async throws {
    folder = try Root.temporaryFolder()
    try await Self.openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
      "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", key, "-out", certificate)
  }

  /// Issues a certificate for these names, as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://...`.
  func issue(_ names: String..., days: Int = 1) async throws -> Identity {
    let name = UUID().uuidString
    let identity = Identity(
      certificate: folder.appending(path: name + ".pem").path, key: folder.appending(path: name + ".key").path)
    try await Self.openssl(
      "req", "-x509", "-CA", certificate, "-CAkey", key, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "\(days)", "-subj", "/CN=test", "-addext", "subjectAltName=" + names.joined(separator: ","),
      "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", identity.key, "-out", identity.certificate)
    return identity
  }

  /// The certificate of a relay that speaks for a region.
  func issue(region: String) async throws -> Identity { try await issue("URI:spiffe://example.org/region/\(region)") }

  static func openssl(_ arguments: String...) async throws { try await openssl(arguments) }

  static func openssl(_ arguments: [String]) async throws {
    let run = try await Command.run("openssl", arguments)
    try #require(run.status == 0, "openssl \(arguments): \(run.errors)")
  }
}

extension Authority.Identity {
  /// The `tls` section of a receiver.
  func receiver(clients: Authority? = nil) -> String {
    let demanded = clients.map { ", client_ca_file: \"\($0.certificate)\"" } ?? ""
    return "{cert_file: \"\(certificate)\", key_file: \"\(key)\"\(demanded)}"
  }
}

extension Authority {
  /// The `tls` section of an exporter that trusts this authority.
  func exporter(_ identity: Identity? = nil, name: String? = nil) -> String {
    let shown = identity.map { ", cert_file: \"\($0.certificate)\", key_file: \"\($0.key)\"" } ?? ""
    let expected = name.map { ", server_name_override: \"\($0)\"" } ?? ""
    return "{ca_file: \"\(certificate)\"\(shown)\(expected)}"
  }
}

/// A TCP port of this machine that was free a moment ago.
enum FreePort {
  static func pick() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(isBound)
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
