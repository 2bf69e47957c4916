internal import Glibc
public import HTTP2Engine
public import NIOCore
internal import NIOPosix
internal import TLSEngine

/// One connection to an upstream: TLS (where configured) and HTTP/2 in this one handler. Where HTTP/1.1 is spoken,
/// SwiftNIO's codec and `HTTP1Client` are put behind it, and it only encrypts and decrypts from then on. Made, used and
/// ended on one event loop; it is never opened twice.
public final class UpstreamConnection: ChannelDuplexHandler {
  public typealias InboundIn = ByteBuffer
  public typealias InboundOut = ByteBuffer
  public typealias OutboundIn = ByteBuffer
  public typealias OutboundOut = ByteBuffer

  /// Called once when requests can be sent.
  public var onUp: (() -> Void)?
  /// Called once when the connection could not be made or has ended.
  public var onDown: ((UpstreamFailure) -> Void)?
  /// Called when the peer allows another number of requests in flight, or the connection must not be given any more.
  public var onCapacityChange: (() -> Void)?
  /// Called when there is room for a request, if there was none when `askForRoom` was called last.
  public var onRoom: (() -> Void)?

  /// How much is encrypted and written at once.
  private static let drainBytes = 128 << 10
  /// How much may still be written at the end: GOAWAY goes before all DATA.
  private static let goodbyeBytes = 4 << 10

  private let target: UpstreamTarget
  private let limits: HTTP2ClientLimits
  private var engine = UpstreamEngine.undecided
  private let scratch: ScratchBuffer
  private var tls: TLSSession?
  private var context: ChannelHandlerContext?
  private var openingTimer: Scheduled<Void>?
  private var isUp = false
  private var isDown = false
  private var isReading = false
  /// Completions run inside `drain` too: what they lead to is drained by the flush that is under way.
  private var isFlushing = false
  private var capacity = (concurrencyMax: 0, isGoingAway: false)
  /// Somebody waits for room.
  private var isRoomAwaited = false

  /// When bytes last came, or the connection was made: nanoseconds on the clock of `NIODeadline`. A connection that
  /// brought nothing for longer than an answer may take is dead, whatever the system thinks.
  public private(set) var lastReceived: UInt64 = 0

  /// Makes a connection that is not open yet.
  public init(_ target: UpstreamTarget, limits: HTTP2ClientLimits = HTTP2ClientLimits()) {
    self.target = target
    self.limits = limits
    scratch = ScratchBuffer()
  }

  // MARK: Use

  /// Connects. `onUp` or `onDown` tells what came of it.
  public func open(on loop: any EventLoop) {
    let handler = NIOLoopBound(self, eventLoop: loop)
    let timeout = TimeAmount.nanoseconds(target.connectTimeout.nanosecondsClamped)
    openingTimer = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
      self?.end(UpstreamFailure(label: "timeout", message: "no connection within the time limit"))
    }
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 65536)
      )
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
    KeepAlive.options.reduce(bootstrap) { $0.channelOption($1.0, value: $1.1) }
      .connect(host: target.host, port: target.port)
      .assumeIsolated()
      .whenFailure { [weak self] error in
        self?.end(UpstreamFailure(label: "connect", message: "cannot connect: \(Self.reason(error))"))
      }
  }

  /// What the system says, without the library's words around it.
  private static func reason(_ error: any Error) -> String {
    if let attempts = error as? NIOConnectionError, let last = attempts.connectionErrors.last {
      return reason(last.error)
    }
    if let failure = error as? IOError { return String(cString: strerror(failure.errnoCode)) }
    return "\(error)"
  }

  /// Whether a request can be sent now.
  public var canSubmit: Bool { isUp && !isDown && engine.canSubmit }
  /// Requests the peer allows in flight; one in HTTP/1.1.
  public var concurrencyMax: Int { engine.concurrencyMax }
  /// Requests in flight.
  public var activeRequests: Int { engine.activeRequests }
  /// The connection is done for new requests (GOAWAY, `connection: close`), though some may still be in flight.
  public var isGoingAway: Bool { engine.isGoingAway }

  /// Whether what was submitted has left, as far as the peer takes it: one more request would begin to leave at once.
  /// Otherwise `onRoom` tells when. A request may be submitted all the same, but then its body lies here for nothing.
  public func askForRoom() -> Bool {
    isRoomAwaited = !hasRoom
    return !isRoomAwaited
  }

  private var hasRoom: Bool {
    guard !isDown, let context else { return false }
    guard case .http2(let client) = engine else { return true }
    return context.channel.isWritable && client.isOutputFree
  }

  /// Sends a request with a body in two pieces; `completion` is called exactly once, on this loop. `sent` tells, in
  /// HTTP/2, that the body is held here no more.
  /// Returns the stream, by which the request can be cancelled; `nil` when it could not be sent.
  public func submit(
    _ request: ClientRequest, prefix: [UInt8], body: [UInt8], sent: (() -> Void)? = nil,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard canSubmit else { return nil }
    switch engine {
    case .undecided: return nil
    case .http2(let client):
      let stream = client.submit(request, prefix: prefix, body: body, sent: sent, completion: completion)
      flush()
      return stream
    case .http1(let client):
      return client.submit(request, body: prefix.isEmpty ? body : prefix + body, completion: completion)
    }
  }

  /// Gives up a request; its completion is called with a failure. In HTTP/1.1 that is the connection's end.
  public func cancel(_ stream: Int32) {
    switch engine {
    case .undecided: break
    case .http2(let client):
      client.cancel(stream)
      flush()
    case .http1(let client): client.cancel(stream)
    }
  }

  /// Ends the connection; `onDown` is told why.
  public func close(because reason: UpstreamFailure = .closedHere) {
    if case .http2(let client) = engine { client.shutdown() }
    end(reason)
  }

  // MARK: Life

  public func channelActive(context: ChannelHandlerContext) {
    // It may have been given up while the system was still connecting.
    guard !isDown else { return context.close(promise: nil) }
    self.context = context
    lastReceived = NIODeadline.now().uptimeNanoseconds
    guard let source = target.tls else { return speak(target.protocols == .http2 ? "h2" : "http/1.1") }
    let session = TLSSession(source.current)
    tls = session
    do throws(TLSFault) {
      try session.start()
    } catch {
      return end(UpstreamFailure(label: "tls", message: "\(error)"))
    }
    flush()
  }

  /// Begins to speak what is agreed upon.
  private func speak(_ name: String?) {
    guard case .undecided = engine, !isDown, let context else { return }
    if name == "h2" {
      let client = HTTP2Client(limits: limits)
      client.wantsFlush = { [weak self] in self?.flush() }
      engine = .http2(client)
      return flush()
    }
    guard target.protocols == .http1OrHTTP2 else {
      return end(UpstreamFailure(label: "tls", message: "the peer did not choose HTTP/2 (ALPN h2)"))
    }
    do {
      engine = .http1(
        try HTTP1Client.install(behind: self, in: context.pipeline.syncOperations, limits: limits))
    } catch {
      return end(UpstreamFailure(label: "io", message: "connection failed: \(error)"))
    }
    // Nothing is said before a request: that the peer speaks HTTP/1.1 its first answer shows.
    comeUp()
  }

  public func channelInactive(context: ChannelHandlerContext) {
    // What ends with the connection is whole now.
    context.fireChannelInactive()
    peerClosed()
  }

  private func peerClosed() {
    if case .http1(let client) = engine, isUp, client.isIdle { return end(client.isGoingAway ? .goingAway : .idle) }
    end(UpstreamFailure(label: "closed", message: "the peer closed the connection"))
  }

  public func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(UpstreamFailure(label: "io", message: "connection failed: \(error)"))
  }

  /// Requests can be sent. In HTTP/2 that is when the peer has begun to speak it: only then is it known that it does,
  /// and, in TLS 1.3, that it has judged this side's certificate. A client that counts from its own end of the
  /// handshake takes every refusal for a success.
  private func comeUp() {
    isUp = true
    openingTimer?.cancel()
    capacity = (concurrencyMax, isGoingAway)
    let report = onUp
    onUp = nil
    report?()
  }

  private func end(_ failure: UpstreamFailure) {
    guard !isDown else { return }
    isDown = true
    openingTimer?.cancel()
    if let context, context.channel.isActive {
      sayGoodbye(context)
      context.close(promise: nil)
    }
    engine.connectionLost()
    let report = onDown
    (onUp, onDown, onCapacityChange, onRoom) = (nil, nil, nil, nil)
    report?(failure)
  }

  /// Tells the peer why, where there is anything to tell: GOAWAY, TLS's alert or `close_notify`.
  private func sayGoodbye(_ context: ChannelHandlerContext) {
    scratch.withPlain { plain in
      if case .http2(let client) = engine {
        _ = try? client.drain(upTo: Self.goodbyeBytes) { plain.append(contentsOf: $0) }
      }
      guard let tls else {
        if isUp { context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: plain)), promise: nil) }
        return
      }
      if tls.isEstablished { try? tls.send(plain) }
      tls.close()
      context.write(wrapOutboundOut(tls.takeOutput(context.channel.allocator)), promise: nil)
    }
    context.flush()
  }

  // MARK: Bytes

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    defer { isReading = false }
    lastReceived = NIODeadline.now().uptimeNanoseconds
    let buffer = unwrapInboundIn(data)
    guard let tls else {
      if case .http1 = engine { return context.fireChannelRead(data) }
      return buffer.withUnsafeReadableBytes { feed($0) }
    }
    do throws(TLSFault) {
      // Bytes of a peer that speaks something else than what was agreed are not ours to judge.
      try tls.receive(buffer, scratch: scratch) { plain in
        speak(tls.negotiatedProtocol)
        feed(plain)
      }
    } catch {
      return end(UpstreamFailure(label: "tls", message: "\(error)"))
    }
    if tls.isEstablished { speak(tls.negotiatedProtocol) }
    if tls.isPeerClosed {
      if case .http1 = engine { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
      peerClosed()
    }
  }

  private func feed(_ plain: UnsafeRawBufferPointer) {
    guard !isDown, let context else { return }
    switch engine {
    case .undecided: break
    case .http1: context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: plain)))
    case .http2(let client):
      do throws(HTTP2Fault) {
        try client.receive(plain, now: lastReceived)
      } catch {
        return end(UpstreamFailure(label: error.kind.rawValue, message: "HTTP/2: \(error)"))
      }
      if !isUp, !isDown { comeUp() }
    }
  }

  public func channelReadComplete(context: ChannelHandlerContext) {
    if case .http1 = engine { context.fireChannelReadComplete() }
    flush()
    tellCapacity()
    if isGoingAway, activeRequests == 0 { end(.goingAway) }
  }

  /// Tells of another number of requests that are allowed, if it is another.
  func tellCapacity() {
    guard isUp, capacity != (concurrencyMax, isGoingAway) else { return }
    capacity = (concurrencyMax, isGoingAway)
    onCapacityChange?()
  }

  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { flush() }
    context.fireChannelWritabilityChanged()
  }

  /// Encrypts what HTTP/1.1's codec has written.
  public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let tls else { return context.write(data, promise: promise) }
    do {
      try unwrapOutboundIn(data).withUnsafeReadableBytes { try tls.send($0) }
    } catch {
      promise?.fail(error)
      return end(UpstreamFailure(label: "tls", message: "\(error)"))
    }
    context.write(wrapOutboundOut(tls.takeOutput(context.channel.allocator)), promise: promise)
  }

  /// Writes what the engines have to say, as long as the socket takes it.
  private func flush() {
    guard let context, !isReading, !isFlushing, !isDown, context.channel.isActive else { return }
    isFlushing = true
    if case .http2(let client) = engine {
      while context.channel.isWritable, tls?.isEstablished ?? true,
        scratch.withPlain({ drain(client, into: &$0, context) })
      {}
    }
    if let tls, !isDown { write(tls, context) }
    isFlushing = false
    guard isRoomAwaited, hasRoom else { return }
    isRoomAwaited = false
    onRoom?()
  }

  /// Drains and writes some. False: there was nothing more, or the connection has ended.
  private func drain(_ client: HTTP2Client, into plain: inout [UInt8], _ context: ChannelHandlerContext) -> Bool {
    do throws(HTTP2Fault) {
      try client.drain(upTo: Self.drainBytes) { plain.append(contentsOf: $0) }
    } catch {
      end(UpstreamFailure(label: error.kind.rawValue, message: "HTTP/2: \(error)"))
      return false
    }
    guard !plain.isEmpty, !isDown else { return false }
    guard let tls else {
      context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: plain)), promise: nil)
      return true
    }
    do throws(TLSFault) {
      try tls.send(plain)
    } catch {
      end(UpstreamFailure(label: "tls", message: "\(error)"))
      return false
    }
    write(tls, context)
    return true
  }

  private func write(_ tls: TLSSession, _ context: ChannelHandlerContext) {
    guard tls.outputByteCount > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(tls.takeOutput(context.channel.allocator)), promise: nil)
  }
}
