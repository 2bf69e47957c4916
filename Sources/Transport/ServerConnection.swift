internal import HTTP2Engine
internal import NIOCore
internal import TLSEngine

/// One accepted connection: TLS (where configured) and HTTP/2 in this one handler. When the peer speaks HTTP/1.1,
/// SwiftNIO's codec and `HTTP1Connection` are put behind it and it only encrypts and decrypts from then on.
final class ServerConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Mode {
    case detecting([UInt8])
    case http2(HTTP2Server)
    case http1(HTTP1Connection)
    /// All was said; what still comes is thrown away.
    case ended
  }

  /// How much is thrown away after the end before the peer is cut off.
  private static let lingerBytesMax = 4 << 20

  let options: ListenerOptions
  private let service: any RequestService
  let counters: ConnectionCounters
  private let registry: ConnectionRegistry
  private let scratch: ScratchBuffer
  private(set) var tls: TLSSession?
  private(set) var mode = Mode.detecting([])
  private(set) var context: ChannelHandlerContext?
  var patience = Patience()
  var idleness = Idleness()
  var timers = ConnectionTimers()
  private var isReading = false
  private var isTurnAwaited = false
  private var isDraining = false
  /// The peer sends no more: TCP's FIN or TLS's `close_notify`.
  private var isInputEnded = false
  private var isGoodbyeSent = false
  private var lingeredBytes = 0
  /// Why HTTP/2 is to end: acted upon once the read is over, so that the peer gets the GOAWAY that tells it.
  private var fault: HTTP2Fault?

  init(
    _ options: ListenerOptions, service: any RequestService, counters: ConnectionCounters,
    registry: ConnectionRegistry, scratch: ScratchBuffer
  ) {
    self.options = options
    self.service = service
    self.counters = counters
    self.registry = registry
    self.scratch = scratch
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    registry.remove(self)
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    if let source = options.tls { tls = TLSSession(source.current) }
    beginOpening()
    registry.add(self)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timers.cancel()
    if case .http2(let server) = mode { server.connectionLost() }
    mode = .ended
    tls = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Finishes what is in flight and closes; a connection that has nothing in flight closes now.
  func drain() {
    isDraining = true
    switch mode {
    case .http2(let server):
      server.shutdown()
      flush()
    case .http1(let connection): connection.drain()
    case .detecting: end(lingers: false)
    case .ended: break
    }
  }

  /// Closes without waiting for anything.
  func abort() { context?.close(promise: nil) }

  /// Counts why the peer is being left.
  func note(_ reason: String) { counters.closed(for: reason) }

  func hangUp(_ reason: String) {
    note(reason)
    end()
  }

  // MARK: The end

  /// Says what is left to say and ends the connection. As long as the peer may still be sending it gets time to read
  /// that: to close on bytes that were not read makes the system throw away what it has not delivered.
  func end(lingers: Bool = true) {
    guard let context else { return }
    if case .ended = mode { return }
    let before = mode
    mode = .ended
    switch before {
    case .http2(let server):
      server.shutdown()
      write(server)
      server.connectionLost()
    case .http1(let connection): connection.ended()
    case .detecting, .ended: break
    }
    beginEnding()
    tls?.close()
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.goodbyeSent(lingers: lingers) }
    let rest = tls?.takeOutput(context.channel.allocator) ?? ByteBuffer()
    context.writeAndFlush(wrapOutboundOut(rest), promise: promise)
  }

  private func goodbyeSent(lingers: Bool) {
    guard let context, context.channel.isActive else { return }
    isGoodbyeSent = true
    guard lingers, !isInputEnded else { return abort() }
    context.close(mode: .output, promise: nil)
    beginLingering()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
    inputEnded(context)
  }

  /// The peer sends no more. It still gets the answers to what it has sent.
  private func inputEnded(_ context: ChannelHandlerContext) {
    guard !isInputEnded else { return }
    isInputEnded = true
    switch mode {
    case .detecting: end()
    case .http2(let server):
      server.inputEnded()
      flush()
    case .http1: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    case .ended: if isGoodbyeSent { abort() }
    }
  }

  // MARK: Bytes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    defer { isReading = false }
    if case .ended = mode { return throwAway(unwrapInboundIn(data).readableBytes) }
    guard let tls else {
      if case .http1(let connection) = mode { return pass(data, to: connection, context) }
      return unwrapInboundIn(data).withUnsafeReadableBytes { takeIn($0) }
    }
    do throws(TLSFault) {
      try tls.receive(unwrapInboundIn(data), scratch: scratch) { takeIn($0) }
    } catch {
      return hangUp("tls_" + error.kind.rawValue)
    }
    if tls.isPeerClosed { inputEnded(context) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if case .http1 = mode { context.fireChannelReadComplete() }
    if case .http2(let server) = mode, server.hasOnlyControl, fault == nil { flushInTurn() } else { flush() }
  }

  /// Writes after what others wait for: hundreds of peers may send a PING at the same moment.
  private func flushInTurn() {
    guard !isTurnAwaited else { return }
    isTurnAwaited = true
    registry.turns.add { [weak self] in
      self?.isTurnAwaited = false
      self?.flush()
    }
  }

  private func throwAway(_ byteCount: Int) {
    lingeredBytes += byteCount
    if lingeredBytes > Self.lingerBytesMax { abort() }
  }

  private func takeIn(_ plain: UnsafeRawBufferPointer) {
    switch mode {
    case .detecting(var held):
      held.append(contentsOf: plain)
      mode = .detecting(held)
      detect(held)
    case .http2(let server): feed(plain, to: server)
    case .http1(let connection):
      guard let context else { return }
      pass(wrapInboundOut(context.channel.allocator.buffer(bytes: plain)), to: connection, context)
    case .ended: break
    }
  }

  private func detect(_ held: [UInt8]) {
    switch SpokenProtocol(held, negotiated: tls?.negotiatedProtocol, allowed: options.protocols) {
    case .undecided: break
    case .other: hangUp("not_http2")
    case .http2: startHTTP2(held)
    case .http1: startHTTP1(held)
    }
  }

  private var peer: PeerIdentity {
    PeerIdentity(
      address: context?.remoteAddress?.ipAddress ?? "", region: tls?.peerRegion,
      isAuthenticated: tls?.peerIsAuthenticated ?? false)
  }

  private func feed(_ plain: UnsafeRawBufferPointer, to server: HTTP2Server) {
    patience.progress()
    do throws(HTTP2Fault) {
      try server.receive(plain, now: NIODeadline.now().uptimeNanoseconds)
    } catch {
      fault = error
    }
    if timers.isOpening, server.hasBegun { beginServing(idle: options.timeouts.idleHTTP2) }
    watchHeaders(of: server)
  }

  private func startHTTP2(_ held: [UInt8]) {
    let server = HTTP2Server(limits: options.http2, service: service, peer: peer)
    server.wantsFlush = { [weak self] in self?.flush() }
    mode = .http2(server)
    if isDraining { server.shutdown() }
    held.withUnsafeBytes { feed($0, to: server) }
  }

  private func startHTTP1(_ held: [UInt8]) {
    guard let context else { return }
    let handler = HTTP1Connection(service: service, peer: peer, connection: self, turns: registry.turns)
    do {
      try HTTP1Connection.install(handler, in: context.pipeline.syncOperations, limits: options.http2)
    } catch {
      return hangUp("http1_protocol_error")
    }
    mode = .http1(handler)
    beginServing(idle: options.timeouts.idle)
    pass(wrapInboundOut(context.channel.allocator.buffer(bytes: held)), to: handler, context)
  }

  private func pass(_ data: NIOAny, to connection: HTTP1Connection, _ context: ChannelHandlerContext) {
    if connection.take({ context.fireChannelRead(data) }) { patience.progress() }
    if case .http1 = mode { watchHeaders(connection.openHead) }
  }

  // MARK: Bytes out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let tls else { return context.write(data, promise: promise) }
    do {
      try unwrapOutboundIn(data).withUnsafeReadableBytes { try tls.send($0) }
    } catch {
      promise?.fail(error)
      return abort()
    }
    context.write(wrapOutboundOut(tls.takeOutput(context.channel.allocator)), promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // A peer that does not read its answers is not read from either.
    context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    if context.channel.isWritable {
      patience.progress()
      flush()
    }
    context.fireChannelWritabilityChanged()
  }

  /// Writes what the engines have to say. During a read this waits for the read's end, so that one write answers all.
  func flush() {
    guard let context, !isReading, context.channel.isActive else { return }
    guard case .http2(let server) = mode else {
      if let tls, tls.outputByteCount > 0 {
        context.writeAndFlush(wrapOutboundOut(tls.takeOutput(context.channel.allocator)), promise: nil)
      }
      return
    }
    write(server)
    if let fault { note(fault.kind.rawValue) }
    if fault != nil || server.isDone || (isInputEnded && server.activeStreams == 0) { end() }
  }

  /// Writes all that HTTP/2 has to say, TLS's own messages before it.
  private func write(_ server: HTTP2Server) {
    guard let context, tls?.isEstablished ?? true else { return }
    let out = scratch.withPlain { plain -> ByteBuffer in
      do throws(HTTP2Fault) {
        try server.drain { plain.append(contentsOf: $0) }
      } catch {
        fault = fault ?? error
      }
      counters.refused(server.takeRefusals())
      guard let tls else { return plain.isEmpty ? ByteBuffer() : context.channel.allocator.buffer(bytes: plain) }
      if !plain.isEmpty { try? tls.send(plain) }
      return tls.takeOutput(context.channel.allocator)
    }
    if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
    // A header block that was refused is over when the peer is told so.
    if timers.headerBlock != nil { watchHeaders(of: server) }
  }

  private func watchHeaders(of server: HTTP2Server) { watchHeaders(server.openHeaderBlock.map { Int($0) }) }
}
