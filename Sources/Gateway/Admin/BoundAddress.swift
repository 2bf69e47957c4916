internal import NIOCore

/// The address a server turned out to be bound to, for whoever waits for it.
final class BoundAddress: Sendable {
  private let stream: AsyncStream<String?>
  private let continuation: AsyncStream<String?>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1)) }

  func set(_ address: SocketAddress?) {
    continuation.yield(address.map { Self.text($0) })
    continuation.finish()
  }

  private static func text(_ address: SocketAddress) -> String {
    let host = address.ipAddress ?? "unknown"
    return (host.contains(":") ? "[\(host)]" : host) + ":\(address.port ?? 0)"
  }

  func fail() { continuation.finish() }

  /// The address, or `nil` when the server could not be started. For one caller.
  var value: String? {
    get async {
      for await address in stream { return address }
      return nil
    }
  }
}
