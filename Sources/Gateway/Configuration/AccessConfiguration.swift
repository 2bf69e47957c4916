/// Who may use a listener (`auth`). Any of the credentials will do.
public struct AccessConfiguration: Sendable, Equatable {
  /// A name with its password.
  public struct User: Sendable, Equatable {
    public var username: String
    public var password: Secret
  }

  /// `bearer_tokens`.
  public var bearerTokens: [Secret] = []
  /// A file with a token a line (`bearer_token_file`), read at the start and by every reload.
  public var bearerTokenFile: String?
  /// `basic.username` and `basic.password`.
  public var basic: User?
  /// A file with `NAME:PASSWORD` a line (`basic.htpasswd_file`), likewise.
  public var htpasswdFile: String?
  /// Whether `/healthz` and `/readyz` need credentials, too: of the admin endpoint only.
  public var healthChecks = false

  /// No credentials yet.
  public init() {}
}

extension AccessConfiguration {
  /// Reads a receiver's `auth`.
  static func receiver(_ section: SectionReader) -> AccessConfiguration? { read(section, isAdmin: false) }

  /// Reads the admin endpoint's.
  static func admin(_ section: SectionReader) -> AccessConfiguration? { read(section, isAdmin: true) }

  private static func read(_ section: SectionReader, isAdmin: Bool) -> AccessConfiguration? {
    var value = AccessConfiguration()
    let tokens = section["bearer_tokens"]
    value.bearerTokens = tokens?.elements.compactMap { $0.secret(allowsSpaces: false) } ?? []
    let tokenFile = section["bearer_token_file"]
    value.bearerTokenFile = tokenFile?.string()
    let basic = section["basic"]
    _ = basic?.section { basic in
      value.htpasswdFile = basic["htpasswd_file"]?.string()
      let isPair = basic["username"] != nil || basic["password"] != nil
      guard isPair || basic["htpasswd_file"] == nil else { return }
      let needed = "username and password go together, or there is htpasswd_file"
      let name = basic.required("username", needed)?.username()
      let password = basic.required("password", needed)?.secret(allowsSpaces: true)
      guard let name, let password else { return }
      value.basic = User(username: name, password: password)
    }
    if isAdmin { value.healthChecks = section["health_checks"]?.boolean() ?? false }
    // A section that says nothing must not mean that everybody may come in.
    if tokenFile == nil, basic == nil, tokens.map({ $0.hasNoElements }) ?? true {
      section.own.fail("needs at least one of bearer_tokens, bearer_token_file, basic")
    }
    return value
  }
}

extension Setting {
  fileprivate var hasNoElements: Bool { if case .list(let nodes) = node.content { nodes.isEmpty } else { false } }

  /// Text that no message shows. A token may look like a number.
  fileprivate func secret(allowsSpaces: Bool) -> Secret? {
    guard case .scalar(let scalar) = node.content, AccessText.isSecret(scalar.text, allowsSpaces: allowsSpaces) else {
      fail("must be a string of visible characters that is not empty\(allowsSpaces ? "" : ", without spaces")")
      return nil
    }
    return Secret(scalar.text)
  }

  fileprivate func username() -> String? {
    guard case .scalar(let scalar) = node.content, AccessText.isUsername(scalar.text) else {
      fail("must be a string of visible characters that is not empty, without a colon")
      return nil
    }
    return scalar.text
  }
}

/// What credentials are made of.
enum AccessText {
  /// Tokens are visible ASCII; passwords are any text without control characters.
  static func isSecret(_ text: some StringProtocol, allowsSpaces: Bool) -> Bool {
    guard !text.isEmpty else { return false }
    return text.utf8.allSatisfy { allowsSpaces ? $0 >= 0x20 && $0 != 0x7f : (0x21...0x7e).contains($0) }
  }

  static func isUsername(_ text: some StringProtocol) -> Bool {
    isSecret(text, allowsSpaces: true) && !text.contains(":")
  }
}
