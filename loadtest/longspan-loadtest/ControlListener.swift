import FaultProxy
import NIOCore
import NIOPosix

/// Takes commands for a proxy on TCP, one a line, and answers each with a line.
struct ControlListener {
  private typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private let proxy: FaultProxy
  private let listener: NIOAsyncChannel<Client, Never>
  private static let lineBytesMax = 1024

  init(_ address: SocketEndpoint, _ proxy: FaultProxy) async throws {
    self.proxy = proxy
    listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .bind(host: address.host, port: address.port) { channel in
        channel.eventLoop.makeCompletedFuture { try Client(wrappingChannelSynchronously: channel) }
      }
  }

  var address: SocketEndpoint {
    let bound = listener.channel.localAddress
    return SocketEndpoint(host: bound?.ipAddress ?? "", port: bound?.port ?? 0)
  }

  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      try await listener.executeThenClose { clients in
        for try await client in clients {
          // That a client goes away concerns nobody else.
          group.addTask { try? await serve(client) }
        }
      }
    }
  }

  private func serve(_ client: Client) async throws {
    try await client.executeThenClose { input, output in
      var held = ByteBuffer()
      for try await bytes in input {
        held.writeImmutableBuffer(bytes)
        while let end = held.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
          let line = held.readString(length: end - held.readerIndex) ?? ""
          held.moveReaderIndex(forwardBy: 1)
          try await output.write(ByteBuffer(string: try await proxy.obey(line) + "\n"))
        }
        guard held.readableBytes <= Self.lineBytesMax else { return }
      }
    }
  }
}
