/// How a request reached us.
public enum HTTPVersion: Sendable {
  case http1
  case http2
}

/// Who sent a request: what the connection knows of its peer.
public struct PeerIdentity: Sendable, Equatable {
  /// The numeric address without port.
  public var address: String
  /// The region that the peer's verified certificate speaks for (SPIFFE SAN), if it names one.
  public var region: String?
  /// Whether the peer showed a certificate that was verified.
  public var isAuthenticated: Bool

  /// Makes an identity.
  public init(address: String, region: String? = nil, isAuthenticated: Bool = false) {
    self.address = address
    self.region = region
    self.isAuthenticated = isAuthenticated
  }
}

/// The head of a request, whatever HTTP version carried it.
public struct RequestHead: Sendable {
  public var method: String
  /// Path with query, as sent.
  public var path: String
  public var version: HTTPVersion
  /// The other fields; pseudo-header fields are not among them.
  public var fields: HeaderFields
  /// `content-length`, where the peer said it and it is a number.
  public var contentLength: Int?

  /// Makes a head.
  public init(
    method: String, path: String, version: HTTPVersion, fields: HeaderFields = HeaderFields(), contentLength: Int? = nil
  ) {
    self.method = method
    self.path = path
    self.version = version
    self.fields = fields
    self.contentLength = contentLength
  }
}

/// A whole answer. Trailers are sent on HTTP/2 only. With an empty body and trailers this is gRPC's normal answer
/// shape; a gRPC "trailers-only" answer puts its `grpc-status` in `fields`.
public struct Response: Sendable {
  public var status: Int
  /// `content-length` is added by the transport.
  public var fields: HeaderFields
  public var body: [UInt8]
  public var trailers: HeaderFields
  /// Whether the connection is to end after this answer.
  public var closesConnection: Bool

  /// Makes an answer.
  public init(
    status: Int, fields: HeaderFields = HeaderFields(), body: [UInt8] = [], trailers: HeaderFields = HeaderFields(),
    closesConnection: Bool = false
  ) {
    self.status = status
    self.fields = fields
    self.body = body
    self.trailers = trailers
    self.closesConnection = closesConnection
  }
}

/// The way back for one request; made by the transport, used on the connection's own thread.
public protocol Responder: AnyObject {
  /// Sends the answer; it may come before the body's end, the rest of the body is then thrown away.
  /// After the peer has gone this does nothing. The second call does nothing.
  func respond(_ response: Response)
  /// Says that so many body bytes no longer occupy memory here: the peer may send as many more.
  func consumed(_ byteCount: Int)
}

/// What takes in one request's body; made by a `RequestService` for each request, called on the connection's thread.
public protocol RequestReceiver: AnyObject {
  /// The next bytes of the body, valid during the call only.
  func receive(_ bytes: UnsafeRawBufferPointer)
  /// The body is complete.
  func finish()
  /// The peer reset the request or its connection ended; no answer can be sent any more.
  func cancel()
}

/// What serves requests, whatever HTTP version carried them. One instance serves the connections of one event loop.
public protocol RequestService: AnyObject {
  /// Begins a request.
  func begin(_ head: RequestHead, from peer: PeerIdentity, responder: any Responder) -> any RequestReceiver
}
