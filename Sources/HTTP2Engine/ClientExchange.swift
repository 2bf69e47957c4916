/// The head of a request that a client sends, as often as it likes.
public struct ClientRequest: Sendable {
  /// Every field, the pseudo-header fields of HTTP/2 first.
  public private(set) var lines: HeaderFields

  /// The same head with one more field; the name is in lower case.
  public func adding(_ name: StaticString, _ value: String) -> ClientRequest {
    var more = self
    more.lines.append(name, value)
    return more
  }

  /// The same head with one more field; capitals in the name become small letters.
  public func adding(name: String, _ value: String) -> ClientRequest {
    var more = self
    more.lines.append(name: name, value: value)
    return more
  }

  /// Makes a head; names in `fields` are in lower case.
  public init(
    method: String, scheme: String, authority: String, path: String, fields: HeaderFields = HeaderFields()
  ) {
    var lines = HeaderFields()
    lines.append(":method", method)
    lines.append(":scheme", scheme)
    lines.append(":authority", authority)
    lines.append(":path", path)
    lines.append(contentsOf: fields)
    self.lines = lines
  }
}

/// A whole response.
public struct ClientResponse: Sendable {
  public var status: Int
  public var fields: HeaderFields
  public var body: [UInt8]
  public var trailers: HeaderFields

  /// Makes a response.
  public init(
    status: Int, fields: HeaderFields = HeaderFields(), body: [UInt8] = [], trailers: HeaderFields = HeaderFields()
  ) {
    self.status = status
    self.fields = fields
    self.body = body
    self.trailers = trailers
  }
}

/// Why a request got no whole response.
public enum ClientFailure: Error, Sendable, Equatable {
  /// The stream was reset with this HTTP/2 error code: by the peer, for a fault in its answer, or by `cancel` (8).
  case reset(code: UInt32)
  /// The peer never looked at the request (GOAWAY or REFUSED_STREAM): it may be sent again without harm.
  case goneAway
  /// The connection ended first; the request may have been processed.
  case connectionLost
  /// The response is past its limit.
  case tooLarge
}

/// Learns how one request ended, exactly once.
public typealias ClientCompletion = (Result<ClientResponse, ClientFailure>) -> Void
