internal import HTTP2Engine

/// One request of an HTTP/1.1 connection and the way back to its sender.
final class HTTP1Exchange: Responder {
  /// How much of an unwanted body is read on so that the sender gets to see the answer: most clients read only when
  /// they have sent everything.
  private static let unwantedBytesMax = 128 << 20

  let isHead: Bool
  /// Whether the peer wants the connection to be kept.
  let keepsAlive: Bool
  var receiver: (any RequestReceiver)?
  private(set) var isAnswered = false
  /// The body came whole.
  private(set) var isComplete = false
  private weak var connection: HTTP1Connection?
  private var unwantedBytes = 0
  var pace = BodyPace()

  init(_ connection: HTTP1Connection, isHead: Bool, keepsAlive: Bool) {
    self.connection = connection
    self.isHead = isHead
    self.keepsAlive = keepsAlive
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    pace.received(bytes.count)
    guard isAnswered else { return receiver?.receive(bytes) ?? () }
    unwantedBytes &+= bytes.count
    if unwantedBytes > Self.unwantedBytesMax { connection?.tooMuchUnwanted() }
  }

  func finish() {
    isComplete = true
    guard isAnswered else { return receiver?.finish() ?? () }
    connection?.bodyEnded()
  }

  func connectionLost() {
    let lost = receiver
    receiver = nil
    if !isAnswered { lost?.cancel() }
    isAnswered = true
  }

  func respond(_ response: Response) {
    guard !isAnswered else { return }
    isAnswered = true
    receiver = nil
    connection?.answer(self, response)
  }

  func consumed(_ byteCount: Int) {}
}
