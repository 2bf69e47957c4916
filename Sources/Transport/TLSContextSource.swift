internal import Synchronization
public import TLSEngine

/// Where new connections find the TLS context in force; a reload puts another one in, open connections keep theirs.
public final class TLSContextSource: Sendable {
  private let context: Mutex<TLSContext>

  /// Starts with a context.
  public init(_ context: TLSContext) { self.context = Mutex(context) }

  /// The context in force.
  public var current: TLSContext { context.withLock { $0 } }

  /// Puts another context in force for connections from now on.
  public func replace(with newContext: TLSContext) { context.withLock { $0 = newContext } }
}
