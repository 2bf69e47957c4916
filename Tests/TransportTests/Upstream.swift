import HTTP2Engine
import NIOCore
import NIOPosix
import Synchronization
import TLSEngine
import Transport

/// A connection to an upstream, made and used on its own loop, and what became of it.
final class Upstream: Sendable {
  struct Life: Sendable {
    var ups = 0
    var downs: [UpstreamFailure] = []
    var capacityChanges = 0
    /// How often it was told that there is room again.
    var rooms = 0
    var sents = 0
    var isGoingAway = false
    var concurrencyMax = 0
    var answers: [String: Result<ClientResponse, ClientFailure>] = [:]
    var refusals = 0

    func status(_ name: String) -> Int? { try? answers[name]?.get().status }
    func failure(_ name: String) -> ClientFailure? {
      if case .failure(let failure) = answers[name] { failure } else { nil }
    }
  }

  let life = Witness(Life())
  let loop: any EventLoop
  private let connection: NIOLoopBound<UpstreamConnection>
  private let streams = Mutex<[String: Int32]>([:])

  init(
    _ address: String, tls: TLSContext? = nil, protocols: UpstreamTarget.Protocols = .http2,
    connectTimeout: Duration = .seconds(60), limits: HTTP2ClientLimits = HTTP2ClientLimits()
  ) async throws {
    let (host, port) = RawPeer.split(address)
    let target = UpstreamTarget(
      host: host, port: port, tls: tls.map { TLSContextSource($0) }, protocols: protocols,
      connectTimeout: connectTimeout)
    loop = MultiThreadedEventLoopGroup.singleton.next()
    connection = try await loop.submit { [life, loop] in
      let connection = UpstreamConnection(target, limits: limits)
      connection.onUp = { life.change { $0.ups += 1 } }
      connection.onDown = { failure in life.change { $0.downs.append(failure) } }
      connection.onRoom = { life.change { $0.rooms += 1 } }
      connection.onCapacityChange = { [unowned connection] in
        life.change {
          $0.capacityChanges += 1
          $0.isGoingAway = connection.isGoingAway
          $0.concurrencyMax = connection.concurrencyMax
        }
      }
      connection.open(on: loop)
      return NIOLoopBound(connection, eventLoop: loop)
    }.get()
  }

  /// Runs on the loop.
  func run<Value: Sendable>(_ body: @escaping @Sendable (UpstreamConnection) -> Value) async throws -> Value {
    try await loop.submit { [connection] in body(connection.value) }.get()
  }

  /// Sends a POST; its answer is kept under `name`.
  func submit(_ name: String, path: String = "/echo", prefix: [UInt8] = [], body: [UInt8] = []) async throws {
    let stream = try await run { [life] connection in
      connection.submit(
        ClientRequest(method: "POST", scheme: "http", authority: "a", path: path), prefix: prefix, body: body,
        sent: { life.change { $0.sents += 1 } }
      ) { result in
        life.change { $0.answers[name] = result }
      }
    }
    guard let stream else { return life.change { $0.refusals += 1 } }
    streams.withLock { $0[name] = stream }
  }

  func cancel(_ name: String) async throws {
    guard let stream = streams.withLock({ $0[name] }) else { return }
    try await run { $0.cancel(stream) }
  }

  func close() async throws { try await run { $0.close() } }

  @discardableResult
  func up() async -> Life { await life.wait { $0.ups == 1 || !$0.downs.isEmpty } }

  @discardableResult
  func answer(_ names: String...) async -> Life {
    await life.wait { life in names.allSatisfy { life.answers[$0] != nil } }
  }

  @discardableResult
  func down() async -> Life { await life.wait { !$0.downs.isEmpty } }
}
