internal import HTTP2Engine
internal import NIOCore
internal import Transport

/// One way to an exporter's destination, as its lane uses it: a connection, a file that is open, the log. Made, used
/// and ended on one event loop; it is never opened twice.
protocol ExporterLink: AnyObject {
  /// Called once when messages can be sent.
  var onUp: (() -> Void)? { get set }
  /// Called once when there is no way, or none any more.
  var onDown: ((UpstreamFailure) -> Void)? { get set }
  /// Called when another number of messages may be under way, or the link must not be given any more.
  var onCapacityChange: (() -> Void)? { get set }
  /// Called when there is room for a message, if there was none when `askForRoom` was called last.
  var onRoom: (() -> Void)? { get set }
  /// Messages that may be under way at once.
  var concurrencyMax: Int { get }
  /// No further message may be sent.
  var isGoingAway: Bool { get }
  /// When the destination was last heard of: nanoseconds on the clock of `NIODeadline`.
  var lastReceived: UInt64 { get }

  func open(on loop: any EventLoop)
  /// Whether one more message would begin to leave at once; `onRoom` tells when. One that is sent all the same lies here
  /// until it can.
  func askForRoom() -> Bool
  /// Sends a message; its number, by which it can be cancelled, or nil where it could not be sent. `sent`, where it is
  /// called before `completion`, tells that the message is held here no more.
  func carry(
    _ message: ExportMessage, sent: @escaping () -> Void,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32?
  func cancel(_ message: Int32)
  func close(because reason: UpstreamFailure)
}

extension ExporterLink {
  /// Tells, once, that messages can be sent.
  func reportUp() {
    let report = onUp
    onUp = nil
    report?()
  }

  /// Tells, once and as the last thing, why there is no way any more.
  func reportDown(_ failure: UpstreamFailure) {
    let report = onDown
    (onUp, onDown, onCapacityChange, onRoom) = (nil, nil, nil, nil)
    report?(failure)
  }
}

extension UpstreamConnection: ExporterLink {
  func carry(
    _ message: ExportMessage, sent: @escaping () -> Void,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard case .request(let head, let prefix, let body) = message else { return nil }
    return submit(head, prefix: prefix, body: body, sent: sent, completion: completion)
  }
}
