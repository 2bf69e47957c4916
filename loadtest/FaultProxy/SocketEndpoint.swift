/// A host and a port.
public struct SocketEndpoint: Sendable, Hashable, CustomStringConvertible {
  public var host: String
  public var port: Int

  /// Makes one.
  public init(host: String, port: Int) { (self.host, self.port) = (host, port) }

  /// Reads `HOST:PORT` or `[HOST]:PORT`.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = text[..<colon]
    let isBracketed = host.first == "[" && host.last == "]"
    if isBracketed { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, isBracketed || !host.contains(":") else { return nil }
    self.init(host: String(host), port: Int(port))
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
