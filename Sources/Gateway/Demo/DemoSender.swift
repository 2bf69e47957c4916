internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import NIOCore
internal import Synchronization
internal import TraceWire
internal import Transport

/// An application's exporter in the demo: one OTLP/gRPC connection in clear text to its region's relay.
final class DemoSender: Sendable {
  private let loop: any EventLoop
  private let connection: NIOLoopBound<UpstreamConnection>
  private let export: OTLPExport

  private init(loop: any EventLoop, connection: NIOLoopBound<UpstreamConnection>, authority: String) {
    self.loop = loop
    self.connection = connection
    export = OTLPExport(authority: authority, isSecure: false, coding: .identity, headers: [])
  }

  /// Connects to a relay at `127.0.0.1:PORT`.
  static func connect(to address: String, on loop: any EventLoop) async throws -> DemoSender {
    guard let port = address.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw StartFailure(message: "the relay's address \(address) has no port")
    }
    let target = UpstreamTarget(host: "127.0.0.1", port: port)
    let up = loop.makePromise(of: Void.self)
    let connection = try await loop.submit {
      let connection = UpstreamConnection(target)
      connection.onUp = { up.succeed() }
      connection.onDown = { up.fail($0) }
      connection.open(on: loop)
      return NIOLoopBound(connection, eventLoop: loop)
    }.get()
    try await up.futureResult.get()
    return DemoSender(loop: loop, connection: connection, authority: target.authority)
  }

  /// Sends spans; whether the relay took them.
  func send(_ spans: [DemoSpan]) async -> Bool {
    let message = DemoSpan.request(spans)
    guard let (head, prefix) = export.plain(message) else { return false }
    let answer = loop.makePromise(of: Bool.self)
    loop.execute { [connection] in
      let stream = connection.value.submit(head, prefix: prefix, body: message) { result in
        answer.succeed(OTLPExport.answer(result).code == 0)
      }
      if stream == nil { answer.succeed(false) }
    }
    return (try? await answer.futureResult.get()) ?? false
  }

  /// Ends the connection.
  func close() { loop.execute { [connection] in connection.value.close() } }
}
