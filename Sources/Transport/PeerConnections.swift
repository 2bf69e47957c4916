internal import Synchronization

/// Where the connections of a process come from: how many each address has open, and the caps on them. The table has
/// at most as many entries as connections are open.
final class PeerConnections: Sendable {
  /// Which cap stands in the way of a connection.
  enum Refusal: String, CaseIterable {
    case total = "max_connections"
    case peer = "max_connections_per_peer"
  }

  private struct State {
    var caps: (total: Int, perPeer: Int)
    var total = 0
    var byPeer: [String: Int] = [:]
  }

  private let state: Mutex<State>

  init(connectionsMax: Int, perPeerMax: Int) { state = Mutex(State(caps: (connectionsMax, perPeerMax))) }

  /// Changes the caps. Connections that are open stay, also those beyond.
  func resize(connectionsMax: Int, perPeerMax: Int) {
    state.withLock { $0.caps = (connectionsMax, perPeerMax) }
  }

  /// Books a connection from an address, unless it would be one too many.
  func admit(_ address: String) -> Refusal? {
    state.withLock { state in
      guard state.total < state.caps.total else { return .total }
      let open = state.byPeer[address, default: 0]
      guard state.caps.perPeer == 0 || open < state.caps.perPeer else { return .peer }
      state.total += 1
      state.byPeer[address] = open + 1
      return nil
    }
  }

  /// A connection that was admitted has ended.
  func ended(_ address: String) {
    state.withLock { state in
      state.total -= 1
      let left = state.byPeer[address, default: 1] - 1
      state.byPeer[address] = left > 0 ? left : nil
    }
  }

  var open: Int { state.withLock { $0.total } }

  /// Addresses with at least one connection.
  var peers: Int { state.withLock { $0.byPeer.count } }
}
