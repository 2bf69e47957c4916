internal import Intake
internal import Synchronization

extension Access {
  /// More of them would make every request slow.
  private static let credentialsMax = 1000

  /// What a listener's `auth` says, its files read now. Throws `StartFailure`, which shows no line of any file.
  init(_ configuration: AccessConfiguration?, of listener: String) throws(StartFailure) {
    guard let configuration else {
      self = .open
      return
    }
    var tokens = configuration.bearerTokens.map(\.value)
    var pairs = configuration.basic.map { [(username: $0.username, password: $0.password.value)] } ?? []
    if let path = configuration.bearerTokenFile {
      for (number, line) in try Self.lines(of: path, for: listener) {
        guard AccessText.isSecret(line, allowsSpaces: false) else {
          throw StartFailure(message: "\(path):\(number), auth of \(listener): not a token of visible characters")
        }
        tokens.append(String(line))
      }
    }
    if let path = configuration.htpasswdFile {
      for (number, line) in try Self.lines(of: path, for: listener) {
        pairs.append(try Self.pair(line, at: "\(path):\(number), auth of \(listener)"))
      }
    }
    guard tokens.count + pairs.count <= Self.credentialsMax else {
      throw StartFailure(message: "auth of \(listener): more than \(Self.credentialsMax) credentials")
    }
    self.init(bearerTokens: tokens, basic: pairs)
  }

  private static func pair(
    _ line: Substring, at place: String
  ) throws(StartFailure) -> (username: String, password: String) {
    guard let colon = line.firstIndex(of: ":") else {
      throw StartFailure(message: "\(place): not NAME:PASSWORD")
    }
    let (name, password) = (line[..<colon], line[line.index(after: colon)...])
    // To check them takes long on purpose, which every request would have to.
    if ["$2", "$apr1$", "$1$", "$5$", "$6$", "$y$", "{SHA}"].contains(where: { password.hasPrefix($0) }) {
      throw StartFailure(message: "\(place): a hash; passwords are in clear text here")
    }
    guard AccessText.isUsername(name), AccessText.isSecret(password, allowsSpaces: true) else {
      throw StartFailure(message: "\(place): not NAME:PASSWORD of visible characters")
    }
    return (String(name), String(password))
  }

  /// The lines with their numbers, but for blank ones and comments. A file without any lets nobody in and is refused.
  private static func lines(
    of path: String, for listener: String
  ) throws(StartFailure) -> [(number: Int, line: Substring)] {
    let bytes: [UInt8]
    do throws(ConfigurationFileError) {
      bytes = try ConfigurationLoader.readSystemFile(path)
    } catch {
      throw StartFailure(message: "cannot read \(path), auth of \(listener): \(error.reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw StartFailure(message: "\(path), auth of \(listener): not UTF-8")
    }
    var lines: [(number: Int, line: Substring)] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      var line = line.drop { $0 == " " || $0 == "\t" }
      while let last = line.last, last == " " || last == "\t" { line = line.dropLast() }
      if !line.isEmpty, !line.hasPrefix("#") { lines.append((index + 1, line)) }
    }
    guard !lines.isEmpty else {
      throw StartFailure(message: "\(path), auth of \(listener): has no credentials")
    }
    return lines
  }
}

/// Who may use the admin endpoint, from one reload to the next.
final class AdminAccess: Sendable {
  /// What holds at a moment.
  struct Rule: Sendable {
    var access = Access.open
    /// Whether it holds for `/healthz` and `/readyz`, too.
    var includesHealth = false

    /// Everybody may look.
    init() {}

    init(_ configuration: AccessConfiguration?) throws(StartFailure) {
      access = try Access(configuration, of: "admin")
      includesHealth = configuration?.healthChecks ?? false
    }
  }

  private let rule: Mutex<Rule>

  init(_ rule: Rule = Rule()) { self.rule = Mutex(rule) }

  var inForce: Rule { rule.withLock { $0 } }

  func replace(with new: Rule) { rule.withLock { $0 = new } }
}
