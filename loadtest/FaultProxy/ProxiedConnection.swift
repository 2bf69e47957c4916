import NIOCore
import NIOPosix

/// A client's connection and the one made for it to the server. Lives on the proxy's loop.
final class ProxiedConnection {
  /// The two ends, named after whom they lead to.
  enum End {
    case client
    case server
  }

  private let core: ProxyCore
  let toServer: LaneRunner
  let toClient: LaneRunner
  private var client: (any Channel)?
  private var server: (any Channel)?
  private var isConnecting = false
  private var isClosing = false
  /// An end that broke while nothing travelled: the other hears of it later.
  private var unheard: End?

  init(_ client: any Channel, _ core: ProxyCore) {
    self.client = client
    self.core = core
    (toServer, toClient) = (LaneRunner(.toServer, core), LaneRunner(.toClient, core))
    (toServer.source, toClient.destination) = (client, client)
    for runner in [toServer, toClient] { runner.onCut = { [weak self] in self?.close() } }
  }

  /// Whether both ends are closed.
  var isOver: Bool { client == nil && server == nil && !isConnecting }

  // MARK: Life

  /// Goes on under the conditions in force, which may have changed.
  func proceed() {
    guard core.conditions.fault != .reset else { return reset() }
    if let end = unheard, !runner(from: end).lane.isStopped {
      unheard = nil
      return broken(end)
    }
    connect()
    toServer.pump()
    toClient.pump()
  }

  private func connect() {
    let lane = toServer.lane
    guard server == nil, client != nil, !isConnecting, !lane.isStopped, !lane.isSwallowing else { return }
    isConnecting = true
    core.connect(self) { [weak self] result in
      guard let self else { return }
      isConnecting = false
      guard case .success(let channel) = result, client != nil else {
        if case .success(let channel) = result { Self.reset(channel) }
        return isOver ? core.forget(self) : reset()
      }
      server = channel
      (toServer.destination, toClient.source) = (channel, channel)
      proceed()
    }
  }

  /// Closes both ends, in words.
  func close() {
    isClosing = true
    for channel in [client, server] { channel?.close(promise: nil) }
  }

  /// Closes both ends without words.
  func reset() {
    for channel in [client, server] { Self.reset(channel) }
  }

  private static func reset(_ channel: (any Channel)?) {
    guard let channel else { return }
    let closing = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    guard let closing else { return channel.close(promise: nil) }
    closing.assumeIsolated().whenComplete { _ in channel.close(promise: nil) }
  }

  // MARK: What the ends say

  func runner(from end: End) -> LaneRunner { end == .client ? toServer : toClient }
  private func runner(to end: End) -> LaneRunner { end == .client ? toClient : toServer }

  /// An end's socket is closed.
  func closed(_ end: End, byFailure: Bool) {
    let (sent, received) = (runner(from: end), runner(to: end))
    // A socket of which one half had ended is closed when the other ends; that is then no event of its own.
    if !byFailure, received.hasFinished, !sent.hasEnded { sent.ended() }
    let wasAgreed = sent.hasEnded && received.hasFinished
    if end == .client { client = nil } else { server = nil }
    sent.source = nil
    received.lose()
    if !wasAgreed { broken(end) }
    if isOver { core.forget(self) }
  }

  /// An end is gone without having said so: the other is told in the same way, when and if word of it gets through.
  private func broken(_ end: End) {
    let lane = runner(from: end).lane
    if isClosing { return }
    if lane.isStopped {
      unheard = end
    } else if !lane.isSwallowing {
      Self.reset(end == .client ? server : client)
    }
  }

  func stop() {
    reset()
    toServer.stop()
    toClient.stop()
  }
}
