internal import HTTP2Engine
internal import NIOCore
internal import NIOHTTP1

/// The client's side of one HTTP/1.1 connection behind SwiftNIO's codec: a request at a time, kept alive.
///
/// A request that is called off, or answered before it was sent whole, takes the connection with it: what the peer
/// would say next could not be told from an answer to the request after it.
final class HTTP1Client: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private struct Exchange {
    let id: Int32
    let completion: ClientCompletion
    /// What is left of the request's body.
    var unsent: ArraySlice<UInt8>
    var isSent = false
    var response: ClientResponse?
  }

  /// How much of a body is written at once.
  private static let pieceBytes = 128 << 10

  private let limits: HTTP2ClientLimits
  private weak var connection: UpstreamConnection?
  private var context: ChannelHandlerContext?
  private var exchange: Exchange?
  private var lastID: Int32 = 0
  /// No further request may be sent, though one may be in flight.
  private(set) var isGoingAway = false

  private init(limits: HTTP2ClientLimits, connection: UpstreamConnection) {
    self.limits = limits
    self.connection = connection
  }

  /// Puts SwiftNIO's codec and a client behind the connection.
  static func install(
    behind connection: UpstreamConnection, in pipeline: ChannelPipeline.SynchronousOperations, limits: HTTP2ClientLimits
  ) throws -> HTTP1Client {
    var head = NIOHTTPDecoderLimitConfiguration()
    head.maxHeaderFieldSize = limits.headerBytesMax
    head.maxHeaderListSize = limits.headerBytesMax
    head.maxHeaderFieldCount = limits.headerFieldsMax
    let client = HTTP1Client(limits: limits, connection: connection)
    try pipeline.addHandler(HTTPRequestEncoder())
    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(limitConfiguration: head)))
    try pipeline.addHandler(client)
    return client
  }

  var isIdle: Bool { exchange == nil }
  var canSubmit: Bool { isIdle && !isGoingAway && context != nil }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  // MARK: Requests

  /// Sends a request; `completion` is called exactly once. Its number, or nil when `canSubmit` is false.
  func submit(_ request: ClientRequest, body: [UInt8], completion: @escaping ClientCompletion) -> Int32? {
    guard canSubmit, let context else { return nil }
    lastID = lastID == .max ? 1 : lastID + 1
    exchange = Exchange(id: lastID, completion: completion, unsent: body[...])
    var headers = HTTPHeaders()
    headers.add(name: "host", value: request.lines.text(":authority") ?? "")
    request.lines.forEach { name, value in
      guard name.first != UInt8(ascii: ":") else { return }
      headers.add(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    }
    headers.add(name: "content-length", value: String(body.count))
    let head = HTTPRequestHead(
      version: .http1_1, method: HTTPMethod(rawValue: request.lines.text(":method") ?? "POST"),
      uri: request.lines.text(":path") ?? "/", headers: headers)
    let id = lastID
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    sendBody()
    context.flush()
    return id
  }

  /// Writes of the body what the socket takes.
  private func sendBody() {
    while let context, let exchange, !exchange.isSent, context.channel.isWritable {
      let piece = exchange.unsent.prefix(Self.pieceBytes)
      self.exchange?.unsent = exchange.unsent.dropFirst(piece.count)
      if !piece.isEmpty {
        context.writeAndFlush(
          wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: piece)))), promise: nil)
      }
      guard piece.count == exchange.unsent.count else { continue }
      self.exchange?.isSent = true
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { sendBody() }
    context.fireChannelWritabilityChanged()
  }

  /// Gives a request up, and the connection with it.
  func cancel(_ id: Int32) {
    guard exchange?.id == id else { return }
    isGoingAway = true
    fail(.reset(code: 8))
    connection?.close(because: UpstreamFailure(label: "cancelled", message: "a request was not answered in time"))
  }

  /// The connection is gone.
  func connectionLost() {
    isGoingAway = true
    fail(.connectionLost)
  }

  private func fail(_ failure: ClientFailure) {
    let failed = exchange
    exchange = nil
    failed?.completion(.failure(failure))
  }

  // MARK: Responses

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard exchange != nil else { return }
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head)
    case .body(let bytes): take(bytes)
    case .end(let trailers): finish(trailers)
    }
  }

  private func begin(_ head: HTTPResponseHead) {
    if !head.isKeepAlive { isGoingAway = true }
    exchange?.response = ClientResponse(
      status: Int(head.status.code), fields: Self.fields(head.headers), body: [], trailers: HeaderFields())
  }

  private func take(_ bytes: ByteBuffer) {
    let received = exchange?.response?.body.count ?? 0
    guard bytes.readableBytes <= limits.responseBytesMax - received else {
      isGoingAway = true
      fail(.tooLarge)
      connection?.close(because: UpstreamFailure(label: "too_large", message: "an answer was larger than any can be"))
      return
    }
    exchange?.response?.body.append(contentsOf: bytes.readableBytesView)
  }

  private func finish(_ trailers: HTTPHeaders?) {
    guard var response = exchange?.response, let answered = exchange else { return }
    if let trailers { response.trailers = Self.fields(trailers) }
    if !answered.isSent { isGoingAway = true }
    exchange = nil
    if isGoingAway { connection?.tellCapacity() }
    answered.completion(.success(response))
  }

  private static func fields(_ headers: HTTPHeaders) -> HeaderFields {
    var fields = HeaderFields()
    for (name, value) in headers { fields.append(name: name, value: value) }
    return fields
  }

  /// The codec's complaints.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The connection's end in the middle of an answer is told by the end itself.
    if error as? HTTPParserError == .invalidEOFState { return }
    // Some servers say that they waited in vain before they close.
    if isIdle { return connection?.close(because: .idle) ?? () }
    connection?.close(because: UpstreamFailure(label: "http1_protocol_error", message: "HTTP/1.1: \(error)"))
  }
}
