internal import Glibc
internal import NIOCore
internal import NIOPosix

/// How the system finds out that a peer is gone without a word, when there is nothing to send: a probe after a minute
/// of silence, and the end of the connection after another minute without an answer.
enum KeepAlive {
  static let options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
    (.socketOption(.so_keepalive), 1),
    (.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)), 60),
    (.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), 15),
    (.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), 4),
  ]
}
