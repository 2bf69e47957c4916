/// The head of a request that a client sends.
public struct ClientRequest: Sendable {
  public var method: String
  public var scheme: String
  public var authority: String
  public var path: String
  public var fields: HeaderFields

  /// Makes a head.
  public init(method: String, scheme: String, authority: String, path: String, fields: HeaderFields = HeaderFields()) {
    self.method = method
    self.scheme = scheme
    self.authority = authority
    self.path = path
    self.fields = fields
  }
}

/// A whole response.
public struct ClientResponse: Sendable {
  public var status: Int
  public var fields: HeaderFields
  public var body: [UInt8]
  public var trailers: HeaderFields
}

/// Why a request got no whole response.
public enum ClientFailure: Error, Sendable, Equatable {
  /// The peer, or `cancel`, reset the stream with this code.
  case reset(code: UInt32)
  /// The peer said that it did not process the request: it may be sent again without harm.
  case goneAway
  case connectionLost
  /// The response is past its limit.
  case tooLarge
}
