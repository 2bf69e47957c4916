/// The open connections of one listener on one event loop, so that a drain reaches each.
final class ConnectionRegistry {
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var isDraining = false

  var isEmpty: Bool { connections.isEmpty }

  func add(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = connection
    if isDraining { connection.drain() }
  }

  func remove(_ connection: ServerConnection) { connections[ObjectIdentifier(connection)] = nil }

  func drain() {
    isDraining = true
    for connection in Array(connections.values) { connection.drain() }
  }

  func abort() {
    for connection in Array(connections.values) { connection.abort() }
  }
}
