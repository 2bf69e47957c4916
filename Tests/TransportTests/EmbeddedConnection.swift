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
  private var heardCount = 0

  init(_ protocols: ListenerOptions.Protocols = .http1AndHTTP2, tls: TLSContextSource? = nil) throws {
    channel = EmbeddedChannel()
    let loop = channel.embeddedEventLoop
    let connection = ServerConnection(
      ListenerOptions(
        name: "test", host: "", port: 0, protocols: protocols, tls: tls),
      service: ScriptedService(journal, loop), counters: counters, registry: ConnectionRegistry(loop, Turns(loop)),
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

  /// Lets a client say all that it has to, and hear the answers.
  func exchange(with client: HTTP2Client) throws {
    if isOpen { try send(try client.bytes()) }
    let unheard = Array(bytes.dropFirst(heardCount))
    heardCount = bytes.count
    try unheard.withUnsafeBytes { try client.receive($0, now: 0) }
    let more = try client.bytes()
    if isOpen, !more.isEmpty { try send(more) }
  }

  private func read() throws {
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes += piece.readableBytesView }
  }

  var isOpen: Bool { channel.isActive }
  var messages: [HTTP1Message] { HTTP1Message.all(in: bytes) }

  /// Why connections were closed, with how often.
  var closed: [String: Double] { counts("longspan_connections_closed_total") }
  /// Why requests were given up, with how often.
  var cutOff: [String: Double] { counts("longspan_requests_cut_off_total").filter { $0.value > 0 } }

  private func counts(_ name: String) -> [String: Double] {
    var counts: [String: Double] = [:]
    for family in counters.families() where family.name == name {
      for sample in family.samples {
        if case .number(let count) = sample.value, let reason = sample.labels.first?.value { counts[reason] = count }
      }
    }
    return counts
  }
}
