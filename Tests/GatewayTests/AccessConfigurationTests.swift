import Foundation
import Intake
import Testing

@testable import Gateway

/// `auth` of receivers and of the admin endpoint.
@Suite struct AccessConfigurationTests {
  private let fixture = ConfigurationFixture(environment: ["TOKEN": "fr0m-environment"])

  private func errors(_ auth: String) -> [String] {
    fixture.relayErrors(leastRelay + "receivers: {otlp: {protocols: {http: {auth: \(auth)}}}}").map {
      $0.replacing("a.yaml:3: receivers.otlp.protocols.http.", with: "")
    }
  }

  @Test func everyListenerHasItsOwn() throws {
    let loaded = try fixture.relay(
      leastRelay + """
        receivers:
          otlp:
            protocols:
              grpc: {auth: {bearer_tokens: [one, "2", 3, "${env:TOKEN}"]}, tls: {cert_file: a, key_file: b}}
              http: {auth: {basic: {username: relay, password: "pass word:ü"}}}
          zipkin: {auth: {bearer_token_file: /a/tokens}}
          jaeger:
            protocols:
              grpc: {auth: {basic: {htpasswd_file: /a/users}}}
              thrift_http:
        admin: {auth: {bearer_tokens: [adm1n], health_checks: true}}
        """)
    let receivers = loaded.configuration.receivers
    #expect(receivers.otlp.grpc?.auth?.bearerTokens.map(\.value) == ["one", "2", "3", "fr0m-environment"])
    #expect(receivers.otlp.http?.auth?.basic?.username == "relay")
    #expect(receivers.otlp.http?.auth?.basic?.password.value == "pass word:ü")
    #expect(receivers.zipkin?.auth?.bearerTokenFile == "/a/tokens")
    #expect(receivers.jaeger.grpc?.auth?.htpasswdFile == "/a/users")
    #expect(receivers.jaeger.thriftHTTP != nil && receivers.jaeger.thriftHTTP?.auth == nil)
    #expect(loaded.configuration.admin.auth?.healthChecks == true)
    let clear = "auth: credentials are sent in clear text: whoever sees the connection can use them"
    let paths = ["otlp.protocols.http", "zipkin", "jaeger.protocols.grpc"].map { "receivers.\($0).\(clear)" }
    #expect(Set(loaded.warnings.map { "\($0.keyPath): \($0.message)" }) == Set(paths + ["admin.\(clear)"]))
    let shown = loaded.configuration.summary.json
    for secret in ["one", "fr0m-environment", "pass word", "adm1n"] { #expect(!shown.contains(secret)) }
    #expect(shown.contains("***"))
  }

  @Test(arguments: [
    ("", "auth: needs at least one of bearer_tokens, bearer_token_file, basic"),
    ("{}", "auth: needs at least one of bearer_tokens, bearer_token_file, basic"),
    ("{bearer_tokens: []}", "auth: needs at least one of bearer_tokens, bearer_token_file, basic"),
    ("s3cret", "auth: must be a mapping, not what stands there"),
    ("{bearer_tokens: s3cret}", "auth.bearer_tokens: must be a list, not what stands there"),
    (
      "{bearer_tokens: ['s3 cret']}",
      "auth.bearer_tokens[0]: must be a string of visible characters that is not empty, without spaces"
    ),
    (
      "{bearer_tokens: ['']}",
      "auth.bearer_tokens[0]: must be a string of visible characters that is not empty, without spaces"
    ),
    (
      "{bearer_tokens: [\"${env:NONE:-}\"]}",
      "auth.bearer_tokens[0]: must be a string of visible characters that is not empty, without spaces"
    ),
    (
      "{bearer_tokens: [[s3cret]]}",
      "auth.bearer_tokens[0]: must be a string of visible characters that is not empty, without spaces"
    ),
    ("{basic: 's3cret:x'}", "auth.basic: must be a mapping, not what stands there"),
    (
      "{basic: {username: a}}",
      "auth.basic.password: is missing; username and password go together, or there is htpasswd_file"
    ),
    (
      "{basic: {username: 'a:s3cret', password: b}}",
      "auth.basic.username: must be a string of visible characters that is not empty, without a colon"
    ),
    (
      "{basic: {username: a, password: \"s3c\\nret\"}}",
      "auth.basic.password: must be a string of visible characters that is not empty"
    ),
    (
      "{bearer_token: s3cret, bearer_tokens: [a]}",
      "auth.bearer_token: unknown key; did you mean bearer_tokens? "
        + "(allowed: basic, bearer_token_file, bearer_tokens)"
    ),
    (
      "{bearer_tokens: [a], health_checks: true}",
      "auth.health_checks: unknown key (allowed: basic, bearer_token_file, bearer_tokens)"
    ),
  ]) func mistakesAreToldWithoutSecrets(_ auth: String, _ error: String) {
    let errors = errors(auth)
    #expect(errors.contains(error), "\(errors)")
    #expect(!errors.joined().contains("s3cret"))
  }

  /// Others may be let in without a restart, also where the listener itself cannot be moved.
  @Test func othersMayBeLetInByAReload() throws {
    func configuration(_ auth: String, port: Int = 1, admin: String = "") throws -> RelayConfiguration {
      try fixture.relay(
        leastRelay + "receivers: {otlp: {protocols: {http: {endpoint: 'a:\(port)'\(auth)}}}}\n"
          + "admin: {endpoint: '127.0.0.1:\(port)'\(admin)}"
      ).configuration
    }
    let old = try configuration(", auth: {bearer_tokens: [a]}", admin: ", auth: {bearer_tokens: [b]}")
    let new = try configuration(", auth: {bearer_tokens: [c]}", admin: ", auth: {bearer_tokens: [d]}")
    #expect(old.reloaded(new).sectionsNeedingRestart.isEmpty)
    #expect(old.reloaded(new).inForce == new)
    let moved = old.reloaded(
      try configuration(", auth: {bearer_tokens: [c]}", port: 2, admin: ", auth: {bearer_tokens: [d]}"))
    #expect(moved.sectionsNeedingRestart == ["receivers.otlp.protocols.http", "admin"])
    #expect(moved.inForce == new)
    #expect(old.reloaded(try configuration("")).inForce == (try configuration("")))
  }
}

/// Files of credentials.
@Suite struct AccessFilesTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "longspan-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func access(tokens: String? = nil, users: String? = nil) throws -> Access {
    var configuration = AccessConfiguration()
    for (name, text) in [("tokens", tokens), ("users", users)] {
      try text?.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }
    if tokens != nil { configuration.bearerTokenFile = folder.appending(path: "tokens").path }
    if users != nil { configuration.htpasswdFile = folder.appending(path: "users").path }
    defer { try? FileManager.default.removeItem(at: folder) }
    return try Access(configuration, of: "otlp_http")
  }

  private func shows(_ access: Access, _ text: String) -> Bool { access.admits([UInt8](text.utf8)[...]) }

  @Test func everyLineIsOne() throws {
    let access = try access(
      tokens: "# ours\none\r\n\n  two \t\nthree", users: "relay:pass:word\n#x\n ops:a b")
    for token in ["one", "two", "three"] { #expect(shows(access, "Bearer \(token)"), "\(token)") }
    for token in ["# ours", "", "four"] { #expect(!shows(access, "Bearer \(token)"), "\(token)") }
    for pair in ["relay:pass:word", "ops:a b"] {
      #expect(shows(access, "Basic \(Data(pair.utf8).base64EncodedString())"), "\(pair)")
    }
  }

  @Test(
    arguments: [
      ("", nil, "has no credentials"), ("\n# s3cret\n", nil, "has no credentials"),
      ("good\ns3cret x", nil, "tokens:2, auth of otlp_http: not a token of visible characters"),
      (nil, "s3cret", "users:1, auth of otlp_http: not NAME:PASSWORD"),
      (nil, ":s3cret", "not NAME:PASSWORD of visible"), (nil, "a:", "not NAME:PASSWORD of visible"),
      (nil, "a:b\nrelay:$2y$05$s3cret", "users:2, auth of otlp_http: a hash"),
      (nil, "relay:{SHA}s3cret=", "a hash"), (String(repeating: "a\n", count: 1001), nil, "more than 1000"),
    ] as [(String?, String?, String)])
  func mistakesAreToldWithoutSecrets(_ tokens: String?, _ users: String?, _ message: String) throws {
    let failure = #expect(throws: StartFailure.self) { try access(tokens: tokens, users: users) }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    #expect(failure?.message.contains("s3cret") == false)
  }

  @Test func aFileMustBeThere() throws {
    var configuration = AccessConfiguration()
    configuration.bearerTokenFile = folder.appending(path: "none").path
    let failure = #expect(throws: StartFailure.self) { try Access(configuration, of: "zipkin") }
    #expect(failure?.message.contains("auth of zipkin: there is no such file") == true)
    try FileManager.default.removeItem(at: folder)
  }
}
