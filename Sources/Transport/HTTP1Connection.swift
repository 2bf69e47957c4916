internal import HTTP2Engine
internal import NIOCore
internal import NIOHTTP1

/// One HTTP/1.1 connection behind SwiftNIO's codec: a request at a time, answered in order, kept alive.
final class HTTP1Connection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let service: any RequestService
  private let peer: PeerIdentity
  private let idleTimeout: Duration
  private var context: ChannelHandlerContext?
  private var exchange: HTTP1Exchange?
  private var isDraining = false

  init(service: any RequestService, peer: PeerIdentity, idleTimeout: Duration) {
    self.service = service
    self.peer = peer
    self.idleTimeout = idleTimeout
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelInactive(context: ChannelHandlerContext) {
    exchange?.connectionLost()
    exchange = nil
    self.context = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Closes after the request in flight, or now.
  func drain() {
    isDraining = true
    if exchange == nil { context?.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let buffer): buffer.withUnsafeReadableBytes { exchange?.receive($0) }
    case .end: exchange?.finish()
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    var fields = HeaderFields()
    for (name, value) in head.headers { fields.append(name: name, value: value) }
    let length = head.headers.first(name: "content-length").flatMap { Int($0) }
    let request = RequestHead(
      method: head.method.rawValue, path: head.uri, version: .http1, fields: fields, contentLength: length)
    let exchange = HTTP1Exchange(self, keepsAlive: head.isKeepAlive && !isDraining)
    self.exchange = exchange
    let receiver = service.begin(request, from: peer, responder: exchange)
    if !exchange.isAnswered { exchange.receiver = receiver }
    if !exchange.isAnswered, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
      let go = HTTPResponseHead(version: head.version, status: .continue)
      context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
    }
  }

  /// Writes an answer. An answer before the body's end also announces the connection's end.
  func send(_ response: Response, keepsAlive: Bool) {
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
    if !response.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  /// The exchange has been answered and its body is complete.
  func ended(keepsAlive: Bool) {
    exchange = nil
    if !keepsAlive || isDraining { context?.close(promise: nil) }
  }

  /// Closes at once: the peer goes on sending what nobody wants.
  func hangUp() { context?.close(promise: nil) }
}

/// One request of an HTTP/1.1 connection and the way back to its sender.
final class HTTP1Exchange: Responder {
  /// How much of an unwanted body is read on so that the sender gets to see the answer.
  private static let unwantedBytesMax = 128 << 20

  private weak var connection: HTTP1Connection?
  var receiver: (any RequestReceiver)?
  private(set) var isAnswered = false
  private var isComplete = false
  private var keepsAlive: Bool
  private var unwantedBytes = 0

  init(_ connection: HTTP1Connection, keepsAlive: Bool) {
    self.connection = connection
    self.keepsAlive = keepsAlive
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard isAnswered else { return receiver?.receive(bytes) ?? () }
    unwantedBytes += bytes.count
    if unwantedBytes > Self.unwantedBytesMax { connection?.hangUp() }
  }

  func finish() {
    isComplete = true
    guard isAnswered else { return receiver?.finish() ?? () }
    connection?.ended(keepsAlive: keepsAlive)
  }

  func connectionLost() {
    if !isAnswered { receiver?.cancel() }
    isAnswered = true
    receiver = nil
  }

  func respond(_ response: Response) {
    guard !isAnswered else { return }
    isAnswered = true
    keepsAlive = keepsAlive && isComplete && !response.closesConnection
    connection?.send(response, keepsAlive: keepsAlive)
    receiver = nil
    if isComplete { connection?.ended(keepsAlive: keepsAlive) }
  }

  func consumed(_ byteCount: Int) {}
}
