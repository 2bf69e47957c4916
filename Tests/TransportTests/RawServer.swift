import HTTP2Engine
import NIOCore
import NIOPosix
import TLSEngine

/// A listening socket whose connections a test plays by hand.
struct RawServer: Sendable {
  let address: String
  private let channel: any Channel
  private let accepted = Witness<[any Channel]>([])

  init() async throws {
    let accepted = accepted
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Nothing is read before the test has put its handler in.
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { child in
        accepted.change { $0.append(child) }
        return child.eventLoop.makeSucceededVoidFuture()
      }
      .bind(host: "127.0.0.1", port: 0).get()
    address = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  /// The connection with this number, played by the test from now on.
  func accept(_ number: Int = 0, tls: TLSContext? = nil, reads: Bool = true) async throws -> RawPeer {
    let child = await accepted.wait { $0.count > number }[number]
    if tls != nil || reads { try await child.setOption(.autoRead, value: true).get() }
    return try await RawPeer.adopt(child, tls: tls)
  }

  func close() async { try? await channel.close().get() }
}

/// The server's side of HTTP/2 for a test that wants to say more than a service can.
final class ScriptedHTTP2 {
  private let server: HTTP2Server
  private let journal = Witness(Journal())
  private var fed = 0

  init(limits: HTTP2Limits = HTTP2Limits()) {
    server = HTTP2Server(
      limits: limits, service: ScriptedService(journal, MultiThreadedEventLoopGroup.singleton.next()),
      peer: PeerIdentity(address: ""))
  }

  /// Takes in what the peer has sent since the last time; what there is to say to it.
  func take(_ wire: RawPeer.Wire) throws -> [UInt8] {
    let fresh = Array(wire.bytes[fed...])
    fed = wire.bytes.count
    try fresh.withUnsafeBytes { try server.receive($0, now: 1) }
    return try say()
  }

  func say() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try server.drain { bytes += $0 }
    return bytes
  }

  /// GOAWAY.
  func leave() throws -> [UInt8] {
    server.shutdown()
    return try say()
  }

  var begun: Int { journal.state.begun.count }
}
