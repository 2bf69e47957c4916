internal import NIOCore

/// The open connections of one listener on one event loop, so that a drain reaches each, and the loop's turns.
final class ConnectionRegistry {
  private let loop: any EventLoop
  let turns: Turns
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var drained: EventLoopPromise<Void>?

  init(_ loop: any EventLoop, _ turns: Turns) {
    self.loop = loop
    self.turns = turns
  }

  var count: Int { connections.count }

  func add(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = connection
    if drained != nil { connection.drain() }
  }

  func remove(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = nil
    tellIfEmpty()
  }

  /// Asks every connection to finish and closes those that have not when the time is over. The future tells that none
  /// is left.
  func drain(within limit: Duration) -> EventLoopFuture<Void> {
    if let drained { return drained.futureResult }
    let promise = loop.makePromise(of: Void.self)
    drained = promise
    for connection in Array(connections.values) { connection.drain() }
    tellIfEmpty()
    let timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(limit.nanosecondsClamped)) { self.abort() }
    promise.futureResult.whenComplete { _ in timer.cancel() }
    return promise.futureResult
  }

  private func abort() {
    for connection in Array(connections.values) { connection.abort() }
  }

  private func tellIfEmpty() {
    if connections.isEmpty { drained?.succeed() }
  }
}
