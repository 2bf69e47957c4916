import Foundation
import Testing

@testable import TLSEngine

@Suite("Configurations that cannot work")
struct ConfigurationFaultTests {
  private func fault(server: TLSServerConfiguration) -> TLSConfigurationFault? {
    do {
      _ = try TLSContext(server: server)
      return nil
    } catch { return error }
  }

  private func fault(client: TLSClientConfiguration) -> TLSConfigurationFault? {
    do {
      _ = try TLSContext(client: client)
      return nil
    } catch { return error }
  }

  @Test("Files are read, and one that cannot be is named")
  func files() throws {
    let ours = try Authority.ours.get()
    let identity = try ours.issue()
    try OpenSSLTool.withFolder { folder in
      let certificate = folder.appendingPathComponent("leaf.pem").path
      let key = folder.appendingPathComponent("leaf.key").path
      try Data(identity.certificate).write(to: URL(fileURLWithPath: certificate))
      try Data(identity.key).write(to: URL(fileURLWithPath: key))
      #expect(fault(server: TLSServerConfiguration(certificate: .file(certificate), key: .file(key))) == nil)
      let missing = folder.appendingPathComponent("missing.pem").path
      let absent = TLSConfigurationFault.Reason.unreadable("No such file or directory")
      #expect(
        fault(server: TLSServerConfiguration(certificate: .file(missing), key: .file(key)))
          == TLSConfigurationFault(.certificate, path: missing, absent))
      #expect(
        fault(server: TLSServerConfiguration(certificate: .file(certificate), key: .file(missing)))
          == TLSConfigurationFault(.key, path: missing, absent))
      #expect(
        fault(
          server: TLSServerConfiguration(
            certificate: .file(certificate), key: .file(key), clientAuthorities: .file(missing)))
          == TLSConfigurationFault(.clientAuthorities, path: missing, absent))
      #expect(
        fault(client: TLSClientConfiguration(trusting: .file(missing)))
          == TLSConfigurationFault(.authorities, path: missing, absent))
      #expect(
        fault(client: TLSClientConfiguration(trusting: .file(folder.path)))
          == TLSConfigurationFault(.authorities, path: folder.path, .unreadable("Is a directory")))
      #expect(
        "\(TLSConfigurationFault(.certificate, path: "/x", absent))"
          == "certificate /x: cannot be read: No such file or directory")
    }
  }

  @Test("Text that is not what it should be is refused")
  func pem() throws {
    let identity = try Authority.ours.get().issue()
    let other = try Authority.ours.get().issue()
    func server(_ certificate: [UInt8], _ key: [UInt8]) -> TLSConfigurationFault? {
      fault(server: TLSServerConfiguration(Identity(certificate: certificate, key: key)))
    }
    #expect(server([], identity.key) == TLSConfigurationFault(.certificate, .noPEM))
    #expect(server(identity.key, identity.key) == TLSConfigurationFault(.certificate, .noPEM))
    #expect(server(identity.certificate, []) == TLSConfigurationFault(.key, .noPEM))
    #expect(server(identity.certificate, other.key) == TLSConfigurationFault(.key, .keyMismatch))
    let damaged = Array(identity.certificate.dropLast(60))
    #expect(server(damaged, identity.key) == TLSConfigurationFault(.certificate, .badPEM))
    #expect(server(identity.certificate + damaged, identity.key) == TLSConfigurationFault(.certificate, .badPEM))
    #expect(server(identity.certificate, Array(identity.key.dropLast(60)))?.item == .key)
    // Both in one text is usual.
    let both = identity.certificate + identity.key
    #expect(server(both, both) == nil)
  }

  @Test("A key of another type than the certificate's is a mismatch")
  func otherAlgorithm() throws {
    let ours = try Authority.ours.get()
    let mixed = try Identity(
      certificate: ours.issue().certificate, key: ours.issue(Leaf(algorithm: ["-newkey", "ed25519"])).key)
    #expect(fault(server: TLSServerConfiguration(mixed)) == TLSConfigurationFault(.key, .keyMismatch))
  }

  @Test("A key under a passphrase is refused without asking for it")
  func passphrase() throws {
    let identity = try Authority.ours.get().issue()
    let locked = try OpenSSLTool.withFolder { folder in
      try Data(identity.key).write(to: folder.appendingPathComponent("open.pem"))
      try OpenSSLTool.run(
        ["pkcs8", "-topk8", "-in", "open.pem", "-out", "locked.pem", "-passout", "pass:hunter2"], in: folder)
      return try [UInt8](Data(contentsOf: folder.appendingPathComponent("locked.pem")))
    }
    #expect(
      fault(server: TLSServerConfiguration(Identity(certificate: identity.certificate, key: locked)))
        == TLSConfigurationFault(.key, .encryptedKey))
  }

  @Test("A key that is too short is refused")
  func weak() throws {
    let weak = try Authority.ours.get().issue(Leaf(algorithm: ["-newkey", "rsa:1024"]))
    #expect(
      fault(server: TLSServerConfiguration(weak)) == TLSConfigurationFault(.certificate, .refused("ee key too small")))
  }

  @Test("A client's certificate and key come together")
  func incomplete() throws {
    let ours = try Authority.ours.get()
    let identity = try ours.issue()
    var client = TLSClientConfiguration(trusting: ours.trust, identity: identity)
    #expect(fault(client: client) == nil)
    client.key = nil
    #expect(fault(client: client) == TLSConfigurationFault(.key, .incomplete))
    client.key = client.certificate
    client.certificate = nil
    #expect(fault(client: client) == TLSConfigurationFault(.certificate, .incomplete))
  }

  @Test("Application protocols have names of 1 to 255 bytes")
  func protocols() throws {
    let ours = try Authority.ours.get()
    var client = TLSClientConfiguration(trusting: ours.trust)
    for (name, isGood) in [
      ("", false), (String(repeating: "p", count: 255), true), (String(repeating: "p", count: 256), false),
    ] {
      client.applicationProtocols = ["h2", name]
      #expect(fault(client: client) == (isGood ? nil : TLSConfigurationFault(.applicationProtocols, .badName)))
    }
  }

  @Test("A text larger than the cap is refused")
  func tooLarge() throws {
    let ours = try Authority.ours.get()
    let padding = [UInt8](
      repeating: UInt8(ascii: "\n"), count: PEMSource.byteCountMax - ours.identity.certificate.count)
    #expect(fault(client: TLSClientConfiguration(trusting: .bytes(ours.identity.certificate + padding))) == nil)
    let large = ours.identity.certificate + padding + [UInt8(ascii: "\n")]
    #expect(
      fault(client: TLSClientConfiguration(trusting: .bytes(large))) == TLSConfigurationFault(.authorities, .tooLarge))
    try OpenSSLTool.withFolder { folder in
      let file = folder.appendingPathComponent("large.pem")
      try Data(large).write(to: file)
      #expect(
        fault(client: TLSClientConfiguration(trusting: .file(file.path)))
          == TLSConfigurationFault(.authorities, path: file.path, .tooLarge))
    }
  }
}
