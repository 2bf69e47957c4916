import HTTP2Engine
import NIOCore
import NIOEmbedded
import Telemetry

@testable import Transport

/// A connection on a loop whose time the test makes.
final class EmbeddedConnection {
  let channel: EmbeddedChannel
  let journal = Witness(Journal())
  let counters = ConnectionCounters(connectionsMax: 1)
  private(set) weak var connection: ServerConnection?
  private(set) var bytes: [UInt8] = []

  init(_ protocols: ListenerOptions.Protocols = .http1AndHTTP2, tls: TLSContextSource? = nil) throws {
    channel = EmbeddedChannel()
    let loop = channel.embeddedEventLoop
    let connection = ServerConnection(
      ListenerOptions(
        name: "test", host: "", port: 0, protocols: protocols, tls: tls, openingTimeout: .seconds(10),
        stallTimeout: .seconds(30), lingerTimeout: .seconds(2)),
      service: ScriptedService(journal, loop), counters: counters, registry: ConnectionRegistry(loop),
      scratch: ScratchBuffer())
    self.connection = connection
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
  }

  func send(_ bytes: [UInt8]) throws {
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    try read()
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Lets time go by.
  func wait(seconds: Int64) throws {
    channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
    try read()
  }

  private func read() throws {
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes += piece.readableBytesView }
  }

  var isOpen: Bool { channel.isActive }
  var messages: [HTTP1Message] { HTTP1Message.all(in: bytes) }

  var closed: [String: Double] {
    var counts: [String: Double] = [:]
    for family in counters.families() {
      for sample in family.samples {
        if case .number(let count) = sample.value, let reason = sample.labels.first?.value { counts[reason] = count }
      }
    }
    return counts
  }
}
