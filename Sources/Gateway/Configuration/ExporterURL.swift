internal import Foundation

/// Where an exporter over HTTP sends its requests: `http(s)://HOST[:PORT][/PATH][?QUERY]`.
struct ExporterURL {
  var isSecure: Bool
  var host: String
  var port: Int
  /// Begins with a slash.
  var path: String
  var query: Secret?

  /// Reads the text; what is wrong with it is the error's message, which shows nothing of it.
  static func parse(_ text: String) -> Result<ExporterURL, Endpoint.Fault> {
    let isSecure = text.hasPrefix("https://")
    guard isSecure || text.hasPrefix("http://") else {
      return .failure(Endpoint.Fault(message: "has neither http:// nor https:// before it"))
    }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return .failure(Endpoint.Fault(message: "has characters that no URL has"))
    }
    let rest = text.dropFirst(isSecure ? 8 : 7)
    let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    var authority = String(rest[..<authorityEnd])
    guard !authority.contains("@") else {
      return .failure(Endpoint.Fault(message: "has a user or a password in it, which belong into the headers"))
    }
    guard !rest.contains("#") else { return .failure(Endpoint.Fault(message: "has a fragment (#), which is not sent")) }
    if authority.wholeMatch(of: /(\[[^\]]*\]|[^:]*)/) != nil { authority += isSecure ? ":443" : ":80" }
    let parts = rest[authorityEnd...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first.map { String($0) } ?? ""
    return Endpoint.parse(authority).flatMap { endpoint in
      guard !endpoint.host.isEmpty else { return .failure(Endpoint.Fault(message: "has no host")) }
      guard endpoint.port > 0 else { return .failure(Endpoint.Fault(message: "has port 0")) }
      return .success(
        ExporterURL(
          isSecure: isSecure, host: endpoint.host, port: endpoint.port, path: path.isEmpty ? "/" : path,
          query: parts.count > 1 ? Secret(String(parts[1])) : nil))
    }
  }
}

extension Setting {
  /// A URL. Messages do not show it: it may hold a key.
  func url() -> ExporterURL? {
    let form = "a URL http(s)://HOST[:PORT][/PATH]"
    guard case .scalar(let scalar) = node.content else {
      fail("must be \(form), not \(shown)")
      return nil
    }
    switch ExporterURL.parse(scalar.text) {
    case .success(let url): return url
    case .failure(let fault):
      fail("must be \(form); it \(fault.message)")
      return nil
    }
  }
}

extension String {
  /// A path to which another can be added.
  var withoutTrailingSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}

/// `user:password` as basic authentication sends it (RFC 7617).
enum BasicCredentials {
  static func encode(user: String, password: String) -> String {
    Data("\(user):\(password)".utf8).base64EncodedString()
  }
}
