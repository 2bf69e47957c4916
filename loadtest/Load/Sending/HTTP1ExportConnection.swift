import Compression
import NIOCore
import NIOHTTP1
import NIOPosix
import Transport

/// Exports over HTTP/1.1, one request at a time.
final class HTTP1ExportConnection: ChannelInboundHandler, ExportConnection {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let plan: LoadPlan
  private let tls: TLSContextSource?
  private let loop: any EventLoop
  private var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/traces")
  private var channel: (any Channel)?
  private var answered: ((ExportAnswer) -> Void)?
  private var status = 0
  private var isUp = false
  private var isEnded = false
  private var endsAfterAnswer = false

  var onReady: (() -> Void)?
  var onEnd: ((String) -> Void)?

  init(_ plan: LoadPlan, tls: TLSContextSource?, on loop: any EventLoop) {
    self.plan = plan
    self.tls = tls
    self.loop = loop
    head.headers.add(name: "host", value: "\(plan.host):\(plan.port)")
    head.headers.add(name: "content-type", value: "application/x-protobuf")
    head.headers.add(name: "user-agent", value: "longspan-loadtest")
    if plan.coding != .identity { head.headers.add(name: "content-encoding", value: plan.coding.token) }
  }

  func open() {
    let handler = NIOLoopBound(self, eventLoop: loop)
    let tls = tls
    ClientBootstrap(group: loop)
      .connectTimeout(.nanoseconds(Int64(plan.patience / .nanoseconds(1))))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(TLSClientHandler(tls.current)) }
          try pipeline.addHandler(HTTPRequestEncoder())
          try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
          try pipeline.addHandler(handler.value)
        }
      }
      .connect(host: plan.host, port: plan.port)
      .assumeIsolated()
      .whenFailure { [weak self] error in self?.end("\(error)") }
  }

  func close() {
    if let channel { channel.close(promise: nil) } else { end("closed by this side") }
  }

  var canSend: Bool { isUp && !isEnded && !endsAfterAnswer && answered == nil }

  func send(_ body: [UInt8], _ answered: @escaping (ExportAnswer) -> Void) {
    guard canSend, let channel else { return answered(.lost) }
    self.answered = answered
    head.headers.replaceOrAdd(name: "content-length", value: "\(body.count)")
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.write(HTTPClientRequestPart.body(.byteBuffer(channel.allocator.buffer(bytes: body))), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
  }

  // MARK: The channel

  func channelActive(context: ChannelHandlerContext) {
    channel = context.channel
    isUp = true
    onReady?()
  }

  func channelInactive(context: ChannelHandlerContext) { end("the peer closed the connection") }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end("\(error)")
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      status = Int(head.status.code)
      endsAfterAnswer = !head.isKeepAlive
    case .body: break
    case .end:
      guard !(100...199).contains(status) else { return }
      let report = answered
      answered = nil
      if endsAfterAnswer { context.close(promise: nil) }
      report?(.http(status))
      onReady?()
    }
  }

  private func end(_ reason: String) {
    guard !isEnded else { return }
    isEnded = true
    let (report, told) = (answered, onEnd)
    (answered, onReady, onEnd) = (nil, nil, nil)
    report?(.lost)
    told?(reason)
  }
}
