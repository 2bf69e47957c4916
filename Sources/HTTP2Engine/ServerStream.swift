internal import CNghttp2

/// One request and its answer.
///
/// It is also the request's `Responder`, and so may outlive its stream and its connection: it does nothing then.
/// Once the answer is given the receiver hears nothing more, and what is left of the body is thrown away. A peer that
/// goes on uploading after an answer is told to stop by a reset with NO_ERROR (RFC 9113 8.1), but not before it sent
/// more than can have been on its way: curl 7.88 takes a reset right behind an answer for a failure.
final class ServerStream: HTTP2Stream, Responder {
  private enum Stage {
    case headers
    case body
    case answered
  }

  // SAFETY: used only from inside the session's calls, and the server that holds the session is making them.
  private unowned(unsafe) let server: HTTP2Server
  private var stage = Stage.headers
  private var method = ""
  private var path: String?
  private var fields = HeaderFields(fieldCount: 12, byteCount: 320)
  private var contentLength: Int?
  private var receiver: (any RequestReceiver)?
  /// Bytes of the body that came after the answer was sent.
  private var uselessBytes = 0
  var pace = BodyPace()
  /// Bytes of the answer that were left to be sent at the last look.
  var leftAtLook: Int?

  init(id: Int32, session: HTTP2Session, server: HTTP2Server) {
    self.server = server
    super.init(id: id, session: session)
  }

  // MARK: The request

  override func header(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
  ) -> HeaderBudget.Verdict {
    let verdict = budget.take(nameCount: name.count, valueCount: value.count)
    switch stage {
    case .headers:
      if verdict == .keep { keep(name, value) }
      return verdict
    case .body, .answered:
      // Trailers: read for HPACK's sake.
      return verdict == .keep ? .keep : .reset
    }
  }

  private func keep(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    guard name.first != UInt8(ascii: ":") else {
      if name.equals(":path") {
        path = server.path(value)
      } else if name.equals(":method") {
        method = value.equals("POST") ? "POST" : String(decoding: value, as: UTF8.self)
      }
      return
    }
    if contentLength == nil, name.equals("content-length") { contentLength = Self.number(value) }
    fields.append(name: name, value: value)
  }

  private static func number(_ digits: UnsafeBufferPointer<UInt8>) -> Int? {
    guard !digits.isEmpty else { return nil }
    var number = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit) - 0x30)
      if overflow || carry { return nil }
      number = sum
    }
    return number
  }

  override func headersEnded() {
    guard stage == .headers else { return }
    stage = .body
    guard !budget.isExceeded else { return refuse(.headerListTooLarge, status: 431) }
    guard let path, path.utf8.first == UInt8(ascii: "/") || (path == "*" && method == "OPTIONS") else {
      return refuse(.malformed, status: 400)
    }
    let head = RequestHead(
      method: method, path: path, version: .http2, fields: fields, contentLength: contentLength)
    fields = HeaderFields()
    let begun = server.service.begin(head, from: server.peer, responder: self)
    if stage == .body, session != nil { receiver = begun }
  }

  private func refuse(_ reason: StreamRefusals.Reason, status: Int) {
    session?.refusals.add(reason)
    respond(Response(status: status))
  }

  override func data(_ bytes: UnsafeRawBufferPointer) {
    pace.received(bytes.count)
    if let receiver { return receiver.receive(bytes) }
    consume(bytes.count)
    guard isLocalEnded else { return }
    uselessBytes &+= bytes.count
    if uselessBytes > server.uselessBytesMax { stopUpload() }
  }

  override func remoteEnded() { receiver?.finish() }

  override func closed(_ code: UInt32?) {
    stage = .answered
    let lost = receiver
    receiver = nil
    if !isRemoteEnded { lost?.cancel() }
    if code != nil { server.streamClosed(id, lingered: isLocalEnded && !isRemoteEnded) }
  }

  // MARK: The answer

  var isAnswered: Bool { stage == .answered }

  func consumed(_ byteCount: Int) { consume(byteCount) }

  func respond(_ response: Response) {
    guard stage != .answered, let session else { return }
    stage = .answered
    receiver = nil
    let hasBody = !response.body.isEmpty && method != "HEAD"
    let hasData = hasBody || response.trailers.count > 0
    if hasData {
      outgoing = OutgoingBody(body: hasBody ? response.body : [], trailers: response.trailers)
    }
    if !session.submitAnswer(id, response, hasData: hasData) { session.reset(id, NGHTTP2_INTERNAL_ERROR) }
    if response.closesConnection { server.shutdown() }
    session.askForFlush()
  }

  override func localEnded() {
    if !isRemoteEnded { server.streamLingers(self) }
  }

  /// Tells a peer that has its answer to stop sending.
  func stopUpload() { session?.reset(id, NGHTTP2_NO_ERROR) }

  /// Gives up a request that can never be complete.
  func cancel() { session?.reset(id, NGHTTP2_CANCEL) }

  override func headersNotSent() {
    // Only an answer beyond nghttp2's own limit for header blocks; the stream would hang.
    session?.reset(id, NGHTTP2_INTERNAL_ERROR)
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether these are the bytes of a text.
  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && text.withUTF8Buffer { elementsEqual($0) }
  }
}
