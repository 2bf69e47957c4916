/// One stream of a session: what both sides and every kind of exchange share. What the events mean is the business of
/// the subclasses ("one request, one answer" today); the session knows only this class.
///
/// The session holds its streams strongly until they are closed and tells each of them exactly once, by `closed`.
class HTTP2Stream {
  let id: Int32
  // SAFETY: a session outlives this reference: it sets it to nil when it closes the stream and, for every stream that
  // is left, in its own deinit. All of it happens on one thread.
  unowned(unsafe) private(set) var session: HTTP2Session?
  /// What is being sent.
  var outgoing = OutgoingBody()
  /// The header or trailer block that is being received.
  var budget: HeaderBudget
  /// Body bytes that occupy memory here, so that the peer may not send others in their place.
  private(set) var unconsumed = 0
  /// The peer sent END_STREAM.
  var isRemoteEnded = false
  /// We sent END_STREAM.
  var isLocalEnded = false

  init(id: Int32, session: HTTP2Session) {
    self.id = id
    self.session = session
    budget = HeaderBudget(session.limits)
  }

  /// A header block begins; `budget` is fresh.
  func headersBegan() {}
  /// One field; the pointers hold during the call.
  func header(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> HeaderBudget.Verdict { .drop }
  /// The header block is complete.
  func headersEnded() {}
  /// Bytes of the body; they are in `unconsumed` already.
  func data(_ bytes: UnsafeRawBufferPointer) {}
  /// The peer sent END_STREAM.
  func remoteEnded() {}
  /// We sent END_STREAM.
  func localEnded() {}
  /// Our HEADERS could not be sent.
  func headersNotSent() {}
  /// The stream is no more, by either side's doing or because the connection ended (`code` is nil then).
  func closed(_ code: UInt32?) {}

  /// Takes in body bytes; they count as unconsumed from here on.
  func receive(_ bytes: UnsafeRawBufferPointer) {
    unconsumed &+= bytes.count
    data(bytes)
  }

  /// Gives the peer leave to send as many bytes more. Not more than it sent, whatever the caller says.
  func consume(_ byteCount: Int) {
    let count = min(max(byteCount, 0), unconsumed)
    guard count > 0, let session else { return }
    unconsumed -= count
    session.consume(count, on: id)
  }

  /// Cuts the stream off from its session; returns how many bytes were never consumed.
  func detach() -> Int {
    defer { unconsumed = 0 }
    session = nil
    return unconsumed
  }
}
