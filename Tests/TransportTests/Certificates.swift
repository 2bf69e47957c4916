import Foundation
import TLSEngine
import TestKit

/// Certificates that the `openssl` command made for this run: a server's for `localhost` and a relay's of a region.
struct Certificates {
  struct Failure: Error { var message: String }

  let server: PEMSource
  let serverKey: PEMSource
  let relay: PEMSource
  let relayKey: PEMSource

  static let made = Result { try Certificates() }

  private init() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "longspan-transport-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    (server, serverKey) = try Self.selfSigned("subjectAltName=DNS:localhost,IP:127.0.0.1", in: folder)
    (relay, relayKey) = try Self.selfSigned("subjectAltName=URI:spiffe://test/region/us-west-2", in: folder)
  }

  private static func selfSigned(_ names: String, in folder: URL) throws -> (PEMSource, PEMSource) {
    let arguments =
      ["req", "-x509", "-nodes", "-days", "30", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
      + ["-subj", "/CN=test", "-keyout", "key.pem", "-out", "cert.pem", "-addext", names]
      + ["-addext", "basicConstraints=critical,CA:FALSE"]
    let complaints = Pipe()
    let process = try ChildProcess("openssl", arguments, in: folder, errors: complaints.fileHandleForWriting)
    try complaints.fileHandleForWriting.close()
    let text = complaints.fileHandleForReading.readDataToEndOfFile()
    guard process.wait() == 0 else { throw Failure(message: String(decoding: text, as: UTF8.self)) }
    func bytes(_ name: String) throws -> PEMSource {
      .bytes([UInt8](try Data(contentsOf: folder.appendingPathComponent(name))))
    }
    return (try bytes("cert.pem"), try bytes("key.pem"))
  }

  /// What a listener shows; with `demandsRelay` it wants to see the relay's certificate.
  func serverContext(demandsRelay: Bool = false, protocols: [String] = ["h2", "http/1.1"]) throws -> TLSContext {
    try TLSContext(
      server: TLSServerConfiguration(
        certificate: server, key: serverKey, clientAuthorities: demandsRelay ? relay : nil,
        applicationProtocols: protocols))
  }

  /// What a client expects and shows.
  func clientContext(
    name: String = "localhost", trusting: PEMSource? = nil, showsRelay: Bool = false, protocols: [String] = ["h2"]
  ) throws -> TLSContext {
    try TLSContext(
      client: TLSClientConfiguration(
        serverName: name, authorities: trusting ?? server, certificate: showsRelay ? relay : nil,
        key: showsRelay ? relayKey : nil, applicationProtocols: protocols))
  }
}
