/// Where a large request is worked on, so that the other connections of its event loop do not wait for it.
public protocol Offload: AnyObject {
  /// Does the work on another thread, and then goes on with its result on this one.
  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void)
}
