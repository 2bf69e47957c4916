/// `HOST:PORT`, as the Collector writes an endpoint.
struct Endpoint {
  var host: String
  var port: Int

  /// Reads `host:port`, `192.0.2.1:port`, `[::1]:port`, `:port`. What is wrong with it is the error's message.
  static func parse(_ text: String) -> Result<Endpoint, Fault> {
    guard let colon = text.lastIndex(of: ":") else { return .failure(Fault(message: "has no port")) }
    let portText = text[text.index(after: colon)...]
    var host = String(text[..<colon])
    guard !portText.isEmpty else { return .failure(Fault(message: "has no port")) }
    guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText), port <= 65_535 else {
      return .failure(Fault(message: "has a port that is not a number from 0 to 65535"))
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard IPAddressText.isVersion6(host) else {
        return .failure(Fault(message: "has no IPv6 address in its brackets"))
      }
    } else if host.contains(":") {
      return .failure(Fault(message: "has an IPv6 address without brackets, or no port"))
    } else if !host.utf8.allSatisfy(Self.isHostByte) {
      return .failure(Fault(message: "has a host with characters that no host name has"))
    }
    return .success(Endpoint(host: host, port: port))
  }

  struct Fault: Error {
    var message: String
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// With brackets around an IPv6 address.
  static func text(_ host: String, _ port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

extension Setting {
  private static let form = "HOST:PORT such as 127.0.0.1:4317, [::1]:4317 or :4317"

  /// Where to listen; a host that is left out means all IPv4 addresses, port 0 a free one.
  func listenEndpoint() -> Endpoint? {
    guard let text = scalar(Self.form, { $0.text }) else { return nil }
    switch Endpoint.parse(text) {
    case .failure(let fault):
      fail("must be \(Self.form); \(shown) \(fault.message)")
      return nil
    case .success(var endpoint):
      if endpoint.host.isEmpty { endpoint.host = "0.0.0.0" }
      return endpoint
    }
  }

  /// Where to connect to, and whether the scheme, if there is one, means TLS.
  func targetEndpoint() -> (endpoint: Endpoint, isSecure: Bool?)? {
    let form = "HOST:PORT such as aggregator.example.com:4317, https:// before it is allowed"
    guard var text = scalar(form, { $0.text })?[...] else { return nil }
    var isSecure: Bool?
    if text.hasPrefix("https://") {
      isSecure = true
      text = text.dropFirst(8)
    } else if text.hasPrefix("http://") {
      isSecure = false
      text = text.dropFirst(7)
    }
    if isSecure != nil, text.hasSuffix("/") { text = text.dropLast() }
    switch Endpoint.parse(String(text)) {
    case .failure(let fault): fail("must be \(form); \(shown) \(fault.message)")
    case .success(let endpoint) where endpoint.host.isEmpty: fail("must be \(form); \(shown) has no host")
    case .success(let endpoint) where endpoint.port == 0: fail("must be \(form); \(shown) has port 0")
    case .success(let endpoint): return (endpoint, isSecure)
    }
    return nil
  }
}
