internal import HTTP2Engine
internal import NIOCore
internal import NIOHTTP1
internal import TLSEngine

/// One accepted connection: TLS (where configured) and HTTP/2 in this one handler. When the peer speaks HTTP/1.1,
/// SwiftNIO's codec and `HTTP1Connection` are put behind it and it only encrypts and decrypts from then on.
final class ServerConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Mode {
    case detecting([UInt8])
    case http2(HTTP2Server)
    case http1
    case ended
  }

  private let options: ListenerOptions
  private let service: any RequestService
  private let counters: ConnectionCounters
  private let registry: ConnectionRegistry
  private let scratch: ScratchBuffer
  private var tls: TLSSession?
  private var mode = Mode.detecting([])
  private var context: ChannelHandlerContext?
  private var openingTimer: Scheduled<Void>?
  private var isReading = false
  private var isDraining = false
  private var http1: HTTP1Connection?
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

  func channelActive(context: ChannelHandlerContext) {
    registry.add(self)
    if let source = options.tls { tls = TLSSession(source.current) }
    let timeout = TimeAmount.nanoseconds(options.openingTimeout.nanosecondsClamped)
    openingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
      self?.hangUp("opening_timeout")
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    openingTimer?.cancel()
    registry.remove(self)
    if case .http2(let server) = mode { server.connectionLost() }
    mode = .ended
    tls = nil
    self.context = nil
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
    case .http1: http1?.drain()
    case .detecting, .ended: context?.close(promise: nil)
    }
  }

  /// Closes without waiting for anything.
  func abort() { context?.close(promise: nil) }

  private func hangUp(_ reason: String) {
    counters.closed(for: reason)
    flush()
    context?.close(promise: nil)
  }

  // MARK: Bytes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    defer { isReading = false }
    let buffer = unwrapInboundIn(data)
    guard let tls else { return buffer.withUnsafeReadableBytes { takeIn($0) } }
    do throws(TLSFault) {
      try tls.receive(buffer, scratch: scratch) { takeIn($0) }
    } catch {
      return hangUp("tls_" + error.kind.rawValue)
    }
    if tls.isPeerClosed { context.close(promise: nil) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if case .http1 = mode { context.fireChannelReadComplete() }
    flush()
  }

  private func takeIn(_ plain: UnsafeRawBufferPointer) {
    switch mode {
    case .detecting(var held):
      held.append(contentsOf: plain)
      mode = .detecting(held)
      detect(held)
    case .http2(let server): feed(plain, to: server)
    case .http1: forward(plain)
    case .ended: break
    }
  }

  /// Decides which protocol the peer speaks, as soon as its first bytes tell.
  private func detect(_ held: [UInt8]) {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8
    if let name = tls?.negotiatedProtocol { return name == "h2" ? startHTTP2(held) : startHTTP1(held) }
    guard preface.starts(with: held.prefix(preface.count)) else {
      guard options.protocols == .http1AndHTTP2 else { return hangUp("not_http2") }
      return startHTTP1(held)
    }
    if held.count >= preface.count { startHTTP2(held) }
  }

  private var peer: PeerIdentity {
    PeerIdentity(
      address: context?.remoteAddress?.ipAddress ?? "", region: tls?.peerRegion,
      isAuthenticated: tls?.peerIsAuthenticated ?? false)
  }

  private func feed(_ plain: UnsafeRawBufferPointer, to server: HTTP2Server) {
    do throws(HTTP2Fault) {
      try server.receive(plain, now: NIODeadline.now().uptimeNanoseconds)
    } catch {
      fault = error
    }
  }

  private func startHTTP2(_ held: [UInt8]) {
    let server = HTTP2Server(limits: options.http2, service: service, peer: peer)
    server.wantsFlush = { [weak self] in self?.flush() }
    openingTimer?.cancel()
    mode = .http2(server)
    if isDraining { server.shutdown() }
    held.withUnsafeBytes { feed($0, to: server) }
  }

  private func startHTTP1(_ held: [UInt8]) {
    guard let context else { return }
    openingTimer?.cancel()
    mode = .http1
    let handler = HTTP1Connection(service: service, peer: peer, idleTimeout: options.openingTimeout)
    http1 = handler
    let pipeline = context.pipeline.syncOperations
    do {
      try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
      try pipeline.addHandler(handler)
    } catch {
      return hangUp("protocol_error")
    }
    held.withUnsafeBytes { forward($0) }
  }

  private func forward(_ plain: UnsafeRawBufferPointer) {
    guard let context else { return }
    var buffer = context.channel.allocator.buffer(capacity: plain.count)
    buffer.writeBytes(plain)
    context.fireChannelRead(wrapInboundOut(buffer))
  }

  // MARK: Bytes out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let tls else { return context.write(data, promise: promise) }
    let plain = unwrapOutboundIn(data)
    do {
      try plain.withUnsafeReadableBytes { try tls.send($0) }
    } catch {
      promise?.fail(error)
      return hangUp("protocol_error")
    }
    var out = context.channel.allocator.buffer(capacity: plain.readableBytes + 64)
    tls.takeOutput { out.writeBytes($0) }
    context.write(wrapOutboundOut(out), promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // A peer that does not read its answers is not read from either.
    context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    if context.channel.isWritable { flush() }
    context.fireChannelWritabilityChanged()
  }

  /// Writes what the engines have to say. During a read this waits for the read's end, so that one write answers all.
  private func flush() {
    guard let context, !isReading, context.channel.isActive else { return }
    var out = context.channel.allocator.buffer(capacity: 1024)
    if case .http2(let server) = mode {
      drain(server, into: &out)
      if let fault { counters.closed(for: fault.kind.rawValue) }
      if fault != nil || server.isDone { mode = .ended }
    }
    tls?.takeOutput { out.writeBytes($0) }
    if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
    if case .ended = mode { context.close(promise: nil) }
  }

  private func drain(_ server: HTTP2Server, into out: inout ByteBuffer) {
    do throws(HTTP2Fault) {
      guard let tls else { return try server.drain { out.writeBytes($0) } }
      guard tls.isEstablished else { return }
      scratch.plain.removeAll(keepingCapacity: true)
      try server.drain { scratch.plain.append(contentsOf: $0) }
    } catch {
      fault = fault ?? error
    }
    guard let tls, !scratch.plain.isEmpty else { return }
    do throws(TLSFault) {
      try scratch.encrypt(with: tls)
    } catch {
      mode = .ended
    }
  }
}
