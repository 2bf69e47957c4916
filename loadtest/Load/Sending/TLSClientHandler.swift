import NIOCore
import TLSEngine

/// TLS in front of a codec, as a client: tells the handlers behind it that the channel is active once it is secure.
final class TLSClientHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let session: TLSSession
  private var scratch = [UInt8](repeating: 0, count: 1 << 16)
  private var isAnnounced = false

  init(_ context: TLSContext) { session = TLSSession(context) }

  func channelActive(context: ChannelHandlerContext) {
    do {
      try session.start()
    } catch {
      context.fireErrorCaught(error)
    }
    flushOutput(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let cipher = unwrapInboundIn(data)
    var plain: [ByteBuffer] = []
    let fault = cipher.withUnsafeReadableBytes { cipher in
      scratch.withUnsafeMutableBytes { scratch -> TLSFault? in
        do throws(TLSFault) {
          try session.receive(cipher, scratch: scratch) { plain.append(context.channel.allocator.buffer(bytes: $0)) }
          return nil
        } catch {
          return error
        }
      }
    }
    flushOutput(context)
    if session.isEstablished, !isAnnounced {
      isAnnounced = true
      context.fireChannelActive()
    }
    for piece in plain { context.fireChannelRead(wrapInboundOut(piece)) }
    if let fault { context.fireErrorCaught(fault) }
    if session.isPeerClosed { context.close(promise: nil) }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let buffer = unwrapOutboundIn(data)
    do {
      let sent = buffer.withUnsafeReadableBytes { bytes in
        Result { () throws(TLSFault) in try session.send(bytes) }
      }
      try sent.get()
      context.write(wrapOutboundOut(takeOutput(context)), promise: promise)
    } catch {
      promise?.fail(error)
    }
  }

  private func flushOutput(_ context: ChannelHandlerContext) {
    guard session.outputByteCount > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(takeOutput(context)), promise: nil)
  }

  private func takeOutput(_ context: ChannelHandlerContext) -> ByteBuffer {
    var output = context.channel.allocator.buffer(capacity: session.outputByteCount)
    session.takeOutput { output.writeBytes($0) }
    return output
  }
}
