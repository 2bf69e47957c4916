internal import HTTP2Engine
internal import TraceWire

/// Who may use a listener: whoever shows one of its credentials in `authorization` (RFC 6750 for bearer tokens, RFC
/// 7617 for names with passwords). What a request shows is compared with every credential of its kind, each time all
/// of it, so that the time this takes says nothing of them.
public struct Access: Sendable {
  /// Tokens as they stand behind `Bearer`.
  private let tokens: [[UInt8]]
  /// Base64 of `NAME:PASSWORD`, as it stands behind `Basic`.
  private let basics: [[UInt8]]
  /// What a request without credentials is told to show: the value of `www-authenticate`; nil where it needs none.
  public let challenge: String?

  /// Nobody has to show anything.
  public static let open = Access()

  private init() {
    tokens = []
    basics = []
    challenge = nil
  }

  /// Access for whoever has one of these, of which there is at least one; none of them is empty.
  public init(bearerTokens: [String], basic: [(username: String, password: String)]) {
    precondition(!bearerTokens.isEmpty || !basic.isEmpty, "access for nobody is a mistake")
    tokens = bearerTokens.map { [UInt8]($0.utf8) }
    basics = basic.map { pair in
      let text = [UInt8]("\(pair.username):\(pair.password)".utf8)
      var encoded: [UInt8] = []
      encoded.append(base64: ByteRange(0, text.count), of: text.span.bytes)
      return encoded
    }
    precondition(tokens.allSatisfy { !$0.isEmpty }, "an empty token is no secret")
    let challenges =
      (tokens.isEmpty ? [] : ["Bearer realm=\"longspan\""])
      + (basics.isEmpty ? [] : ["Basic realm=\"longspan\", charset=\"UTF-8\""])
    challenge = challenges.joined(separator: ", ")
  }

  /// Whether a request with these fields may be looked at.
  func admits(_ fields: HeaderFields) -> Bool { challenge == nil || admits(fields["authorization"]) }

  /// Whether this value of `authorization` is one of the credentials.
  public func admits(_ authorization: ArraySlice<UInt8>?) -> Bool {
    if challenge == nil { return true }
    guard let authorization, let space = authorization.firstIndex(of: UInt8(ascii: " ")) else { return false }
    var shown = authorization[space...].drop { $0 == UInt8(ascii: " ") }
    while let last = shown.last, last == UInt8(ascii: " ") || last == 0x09 { shown = shown.dropLast() }
    switch String(decoding: authorization[..<space], as: UTF8.self).lowercased() {
    case "bearer": return Self.isOne(of: tokens, shown)
    case "basic": return Self.isOne(of: basics, shown)
    default: return false
    }
  }

  /// How long this takes depends on what is shown and on how many credentials there are, not on what they are.
  private static func isOne(of secrets: [[UInt8]], _ shown: ArraySlice<UInt8>) -> Bool {
    var found = 0
    for secret in secrets {
      var difference = secret.count ^ shown.count
      var place = 0
      for byte in shown {
        difference |= Int(byte ^ secret[place])
        place = place &+ 1 == secret.count ? 0 : place &+ 1
      }
      found |= difference == 0 ? 1 : 0
    }
    return found == 1
  }
}
