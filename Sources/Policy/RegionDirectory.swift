internal import Synchronization
internal import TraceWire

/// A region's small number: the same on every loop and across changes of configuration. Zero stands for all regions
/// past the cap.
@frozen public struct RegionID: Hashable, Sendable, BitwiseCopyable {
  /// The number.
  public let rawValue: UInt16
  /// Makes an ID of its number.
  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }
  /// Stands for every region that no longer fitted.
  @inlinable public static var overflow: RegionID { RegionID(0) }
}

/// The names behind `RegionID`s, shared by all loops and only ever added to. Peers name regions, so their names are
/// capped in number and length; what is past a cap is `RegionID.overflow`. Names of the configuration always fit.
public final class RegionDirectory: Sendable {
  /// Longest name that is told apart: a label, not a payload.
  static let nameBytesMax = 256
  /// Pairs of regions that have counters of their own.
  static let pairsMax = 4096

  private struct State {
    var ids: ByteTable<RegionID>
    var names: [String] = ["__overflow__"]
    var keys: [[UInt8]] = [[]]
    var fromPeers = 0
    /// Pairs that may have counters, on whichever loop.
    var pairs: Set<UInt32> = []
    var overflows = 0
  }

  /// How many names peers may add.
  public let peerNamesMax: Int
  private let state: Mutex<State>

  /// An empty directory. `seed` is the secret of its hash.
  public init(peerNamesMax: Int = 1024, seed: UInt64 = .random(in: .min ... .max)) {
    precondition((1...60_000).contains(peerNamesMax), "region numbers have 16 bits")
    self.peerNamesMax = peerNamesMax
    state = Mutex(State(ids: ByteTable(hash: KeyedHash(seed: seed))))
  }

  /// The number of a name of the configuration: not subject to the cap.
  public func register(_ name: String) -> RegionID {
    let key = Array(name.utf8)
    return state.withLock { state in
      if let known = state.ids.value(key) { return known }
      guard state.names.count < Int(UInt16.max) else { return .overflow }
      return Self.add(key, to: &state)
    }
  }

  /// The number of a name that a peer used, or `overflow`.
  func intern(_ range: ByteRange, of bytes: RawSpan) -> RegionID {
    let key = bytes.array(range)
    return state.withLock { state in
      if let known = state.ids.value(key) { return known }
      guard state.fromPeers < peerNamesMax, key.count <= Self.nameBytesMax else {
        state.overflows &+= 1
        return .overflow
      }
      state.fromPeers += 1
      return Self.add(key, to: &state)
    }
  }

  private static func add(_ key: [UInt8], to state: inout State) -> RegionID {
    let id = RegionID(UInt16(truncatingIfNeeded: state.names.count))
    state.names.append(String(decoding: key, as: UTF8.self))
    state.keys.append(key)
    state.ids.insert(ByteRange(0, key.count), of: key.span.bytes, value: id)
    return id
  }

  /// Whether a pair of regions may have counters: the same pairs on all loops, so that the cap is the process's.
  func admits(_ source: RegionID, _ target: RegionID) -> Bool {
    let pair = UInt32(source.rawValue) << 16 | UInt32(target.rawValue)
    return state.withLock { state in
      guard state.pairs.count < Self.pairsMax else { return state.pairs.contains(pair) }
      state.pairs.insert(pair)
      return true
    }
  }

  /// The name for a label; ill-formed UTF-8 is repaired.
  public func name(_ id: RegionID) -> String {
    state.withLock { $0.names.indices.contains(Int(id.rawValue)) ? $0.names[Int(id.rawValue)] : $0.names[0] }
  }

  /// Whether peers' names are at their cap.
  var isFull: Bool { state.withLock { $0.fromPeers >= peerNamesMax } }

  /// How often a new name did not fit.
  public var overflows: Int { state.withLock { $0.overflows } }

  /// Every name's bytes, by number; the first is none.
  var keys: [[UInt8]] { state.withLock { $0.keys } }
}
