import HTTP2Engine
import NIOCore
import NIOPosix
import TLSEngine

/// A listening socket whose connections a test plays by hand.
struct RawServer: Sendable {
  let address: String
  private let channel: any Channel
  private let accepted = Witness<[RawPeer]>([])

  init(tls: TLSContext? = nil, reads: Bool = true) async throws {
    let accepted = accepted
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.autoRead, value: reads)
      .childChannelInitializer { child in
        child.eventLoop.makeCompletedFuture {
          let peer = try RawPeer.install(on: child, tls: tls)
          accepted.change { $0.append(peer) }
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    address = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  /// The connection with this number.
  func accept(_ number: Int = 0) async -> RawPeer {
    let peer = await accepted.wait { $0.count > number }[number]
    await peer.wire.wait { $0.isReady || $0.isEnded }
    return peer
  }

  func close() async { try? await channel.close().get() }
}

/// The server's side of HTTP/2 for a test that wants to say more than a service can. Requests wait for the test.
final class ScriptedHTTP2: RequestService, RequestReceiver {
  private(set) var responders: [any Responder] = []
  private var server: HTTP2Server?
  private var fed = 0

  init(limits: HTTP2Limits = HTTP2Limits()) {
    server = HTTP2Server(limits: limits, service: self, peer: PeerIdentity(address: ""))
  }

  /// Breaks the cycle of server and service.
  func end() { server = nil }

  func begin(_ head: RequestHead, from peer: PeerIdentity, responder: any Responder) -> any RequestReceiver {
    responders.append(responder)
    return self
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {}
  func finish() {}
  func cancel() {}

  /// Takes in what the peer has sent since the last time; what there is to say to it.
  func take(_ wire: RawPeer.Wire) throws -> [UInt8] {
    let fresh = Array(wire.bytes[fed...])
    fed = wire.bytes.count
    try fresh.withUnsafeBytes { try server?.receive($0, now: 1) }
    return try say()
  }

  func say() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try server?.drain { bytes += $0 }
    return bytes
  }

  /// GOAWAY.
  func leave() throws -> [UInt8] {
    server?.shutdown()
    return try say()
  }
}
