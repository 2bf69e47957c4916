internal import HTTP2Engine
internal import NIOCore
internal import NIOHTTP1

/// One HTTP/1.1 connection behind SwiftNIO's codec: a request at a time, answered in order, kept alive.
final class HTTP1Connection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let service: any RequestService
  private let peer: PeerIdentity
  private weak var connection: ServerConnection?
  private let turns: Turns
  private var context: ChannelHandlerContext?
  private var exchange: HTTP1Exchange?
  private var isDraining = false
  private var isInputEnded = false
  /// The last answer was given: what else comes is of no interest.
  private var isEnding = false
  private(set) var partCount = 0
  /// Bytes came that are not a whole head yet.
  private var isHeadPartial = false
  /// Whether a request was answered since other connections had their turn.
  private var hasAnswered = false
  /// How many answers waited for that.
  private var postponed = 0

  /// A peer that had so many answers wait sends requests without waiting for answers as a habit.
  private static let postponedMax = 8

  init(service: any RequestService, peer: PeerIdentity, connection: ServerConnection, turns: Turns) {
    self.turns = turns
    self.service = service
    self.peer = peer
    self.connection = connection
  }

  /// Puts SwiftNIO's codec and a connection behind the last handler.
  static func install(
    _ handler: HTTP1Connection, in pipeline: ChannelPipeline.SynchronousOperations, limits: HTTP2Limits
  ) throws {
    var head = NIOHTTPDecoderLimitConfiguration()
    head.maxHeaderFieldSize = limits.headerBytesMax
    head.maxHeaderListSize = limits.headerBytesMax
    head.maxHeaderFieldCount = limits.headerFieldsMax
    // Parser errors are answered by the connection: it knows whether the request has its answer already.
    try pipeline.configureHTTPServerPipeline(
      withErrorHandling: false, withEncoderConfiguration: .init(), withDecoderLimitConfiguration: head)
    try pipeline.addHandler(handler)
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    ended()
    context.fireChannelInactive()
  }

  /// The codec's complaints; those of the socket end before they come here.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let fault = error as? HTTPParserError else { return context.close(promise: nil) }
    // A request that has its answer does not get another; what is wrong with its rest is of no interest.
    if !isEnding {
      isEnding = true
      // Nor is the end of the connection in the middle of a request an offence.
      if fault != .invalidEOFState { connection?.note("http1_protocol_error") }
      write(Response(status: fault == .headerOverflow ? 431 : 400), isHead: false, keepsAlive: false)
    }
    connection?.end()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
    isInputEnded = true
    if exchange == nil, !isEnding { connection?.end() }
  }

  /// Closes after the request in flight, or now.
  func drain() {
    isDraining = true
    if exchange == nil { connection?.end(lingers: false) }
  }

  /// Nothing more is read or written.
  func ended() {
    isEnding = true
    exchange?.connectionLost()
    exchange = nil
  }

  /// Whether the connection has no request.
  var isIdle: Bool { exchange == nil }
  /// Whether the rest of a request's body is owed.
  var awaitsBody: Bool { exchange.map { !$0.isComplete } ?? false }
  /// A number for the head that has begun and is not whole, another for each.
  var openHead: Int? { isHeadPartial ? partCount : nil }

  /// A regular look at the request that is being received. True: its body comes too slowly.
  func isBodyTooSlow(_ rule: BodyPace.Rule) -> Bool {
    awaitsBody && exchange?.pace.isTooSlow(rule) ?? false
  }

  /// Passes bytes to the codec by way of `forward`. True: they were of use, and not only a piece of a head.
  func take(_ forward: () -> Void) -> Bool {
    let before = partCount
    hasAnswered = false
    forward()
    isHeadPartial = exchange == nil && partCount == before
    return !isHeadPartial
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    partCount &+= 1
    switch unwrapInboundIn(data) {
    case .head(let head): if !isEnding { begin(head, context) }
    case .body(let buffer): buffer.withUnsafeReadableBytes { exchange?.receive($0) }
    case .end: exchange?.finish()
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    var fields = HeaderFields()
    for (name, value) in head.headers { fields.append(name: name, value: value) }
    let request = RequestHead(
      method: head.method.rawValue, path: head.uri, version: .http1, fields: fields,
      contentLength: head.headers.first(name: "content-length").flatMap { Int($0) })
    // The codec reads no further behind a request that asks for another protocol.
    let staysHTTP1 = head.method != .CONNECT && !head.headers.contains(name: "upgrade")
    let exchange = HTTP1Exchange(self, isHead: head.method == .HEAD, keepsAlive: head.isKeepAlive && staysHTTP1)
    self.exchange = exchange
    let receiver = service.begin(request, from: peer, responder: exchange)
    guard !exchange.isAnswered else { return }
    exchange.receiver = receiver
    if head.version == .http1_1, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
      context.writeAndFlush(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }
  }

  // MARK: Answers

  /// Answers a request, now or when others had their turn: the codec holds back the next request until then. So a peer
  /// that does not wait for answers gets one at a time.
  func answer(_ answered: HTTP1Exchange, _ response: Response) {
    guard hasAnswered, answered.isComplete, let context else {
      hasAnswered = true
      return answerNow(answered, response)
    }
    postponed &+= 1
    if postponed == Self.postponedMax {
      // What is read is parsed at once, so less is read at a time.
      context.channel.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        .whenFailure { _ in }
    }
    turns.add { [weak self] in
      guard let self, exchange === answered else { return }
      answerNow(answered, response)
    }
  }

  /// Writes the answer to a request. One that comes before the end of the body announces the connection's end.
  private func answerNow(_ answered: HTTP1Exchange, _ response: Response) {
    let keepsAlive =
      answered.isComplete && answered.keepsAlive && !response.closesConnection && !isDraining && !isInputEnded
    isEnding = !keepsAlive
    // The codec may deliver the next request from inside the write.
    if answered.isComplete { exchange = nil }
    write(response, isHead: answered.isHead, keepsAlive: keepsAlive)
    if answered.isComplete, !keepsAlive { connection?.end() }
  }

  /// The body of a request that was answered before is complete.
  func bodyEnded() {
    exchange = nil
    connection?.end()
  }

  /// The peer goes on sending what nobody wants.
  func tooMuchUnwanted() { connection?.end() }

  private func write(_ response: Response, isHead: Bool, keepsAlive: Bool) {
    guard let context else { return }
    var headers = HTTPHeaders()
    response.fields.forEach { name, value in
      headers.add(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    }
    headers.add(name: "content-length", value: String(response.body.count))
    if !keepsAlive { headers.add(name: "connection", value: "close") }
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !response.body.isEmpty, !isHead {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }
}
