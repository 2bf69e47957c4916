import NIOCore

/// One socket of a proxied connection.
final class ProxyEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let end: ProxiedConnection.End
  private let connection: ProxiedConnection
  private var hasFailed = false

  init(_ end: ProxiedConnection.End, of connection: ProxiedConnection) {
    (self.end, self.connection) = (end, connection)
  }

  func channelActive(context: ChannelHandlerContext) {
    if end == .client { connection.proceed() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.runner(from: end).received(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) { connection.runner(from: end).pump() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent { connection.runner(from: end).ended() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard context.channel.isWritable else { return }
    (end == .client ? connection.toClient : connection.toServer).pump()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    hasFailed = true
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { connection.closed(end, byFailure: hasFailed) }
}
