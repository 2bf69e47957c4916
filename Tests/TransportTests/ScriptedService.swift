import HTTP2Engine
import NIOCore

/// What the services of a test's listener were told, on whatever loop.
struct Journal: Sendable {
  var begun: [RequestHead] = []
  var peers: [PeerIdentity] = []
  var receivedBytes = 0
  var finished: [String] = []
  var cancelled: [String] = []
  /// Receivers that are alive.
  var alive = 0
  /// Answers requests that wait for the test.
  var waiting: [@Sendable () -> Void] = []
}

/// Does with a request what its path says.
///
/// - `/echo`: answers with the body; `/big/N`: with so many bytes; `/trailers`: with gRPC's shape.
/// - `/early`: answers 413 before the body; `/mid`: with its first bytes.
/// - `/later`: when the test says so. `/never`: not at all. `/close`: and ends the connection.
final class ScriptedService: RequestService {
  private let journal: Witness<Journal>
  private let loop: any EventLoop

  init(_ journal: Witness<Journal>, _ loop: any EventLoop) {
    self.journal = journal
    self.loop = loop
  }

  func begin(_ head: RequestHead, from peer: PeerIdentity, responder: any Responder) -> any RequestReceiver {
    journal.change {
      $0.begun.append(head)
      $0.peers.append(peer)
      $0.alive += 1
    }
    if head.path == "/early" { responder.respond(Response(status: 413, body: Array("too large".utf8))) }
    return ScriptedReceiver(head.path, journal, loop, responder)
  }
}

private final class ScriptedReceiver: RequestReceiver {
  private let path: String
  private let journal: Witness<Journal>
  private let loop: any EventLoop
  private let responder: any Responder
  private var body: [UInt8] = []

  init(_ path: String, _ journal: Witness<Journal>, _ loop: any EventLoop, _ responder: any Responder) {
    self.path = path
    self.journal = journal
    self.loop = loop
    self.responder = responder
  }

  deinit { journal.change { $0.alive -= 1 } }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    body.append(contentsOf: bytes)
    responder.consumed(bytes.count)
    journal.change { $0.receivedBytes += bytes.count }
    if path == "/mid" { responder.respond(Response(status: 413)) }
  }

  func finish() {
    journal.change { $0.finished.append(path) }
    switch path {
    case "/never": break
    case "/close": responder.respond(Response(status: 200, body: body, closesConnection: true))
    case "/trailers":
      responder.respond(
        Response(status: 200, fields: ["content-type": "application/grpc"], body: body, trailers: ["grpc-status": "0"]))
    case "/later":
      let bound = NIOLoopBound((responder, body), eventLoop: loop)
      journal.change { [loop] in
        $0.waiting.append {
          loop.execute { bound.value.0.respond(Response(status: 200, body: bound.value.1)) }
        }
      }
    case let path where path.hasPrefix("/big/"):
      responder.respond(Response(status: 200, body: [UInt8](repeating: 66, count: Int(path.dropFirst(5)) ?? 0)))
    default: responder.respond(Response(status: 200, body: body))
    }
  }

  func cancel() { journal.change { $0.cancelled.append(path) } }
}
