internal import CNghttp2

/// One request that we sent, and its answer so far.
final class ClientStream: HTTP2Stream {
  private enum Stage {
    case headers
    case body
    case trailers
  }

  private var completion: ClientCompletion?
  private var stage = Stage.headers
  private var status = 0
  private var fields = HeaderFields()
  private var trailers = HeaderFields()
  private var body: [UInt8] = []
  private let bodyBytesMax: Int
  /// Called when the whole request was handed to the transport.
  var onSent: (() -> Void)?

  init(id: Int32, session: HTTP2Session, bodyBytesMax: Int, completion: @escaping ClientCompletion) {
    self.completion = completion
    self.bodyBytesMax = bodyBytesMax
    super.init(id: id, session: session)
  }

  // MARK: The answer

  override func headersBegan() {
    if stage == .body { stage = .trailers }
  }

  override func header(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
  ) -> HeaderBudget.Verdict {
    let verdict = budget.take(nameCount: name.count, valueCount: value.count)
    guard verdict == .keep, completion != nil else { return verdict }
    if stage == .trailers {
      trailers.append(name: name, value: value)
    } else if name.equals(":status") {
      // nghttp2 has made sure that these are three digits.
      status = value.reduce(0) { $0 &* 10 &+ Int($1 &- 48) }
    } else if name.first != UInt8(ascii: ":") {
      fields.append(name: name, value: value)
    }
    return verdict
  }

  override func headersEnded() {
    if budget.isExceeded { return giveUp(.tooLarge) }
    guard stage == .headers else { return }
    if (100...199).contains(status) {
      fields = HeaderFields()
    } else {
      stage = .body
    }
  }

  override func data(_ bytes: UnsafeRawBufferPointer) {
    consume(bytes.count)
    guard completion != nil else { return }
    // The limit of one response holds for all of a connection together: there are many at once, and they are small.
    guard let session, bytes.count <= bodyBytesMax - session.heldResponseBytes else { return giveUp(.tooLarge) }
    body.append(contentsOf: bytes)
    session.heldResponseBytes += bytes.count
  }

  override func localEnded() {
    let report = onSent
    onSent = nil
    report?()
  }

  override func remoteEnded() {
    complete(.success(ClientResponse(status: status, fields: fields, body: body, trailers: trailers)))
    // The answer came before all of the request went: nobody wants the rest.
    if !isLocalEnded { session?.reset(id, NGHTTP2_CANCEL) }
  }

  override func closed(_ code: UInt32?) {
    switch code {
    case nil: complete(.failure(.connectionLost))
    case NGHTTP2_REFUSED_STREAM.rawValue?: complete(.failure(.goneAway))
    case let code?: complete(.failure(.reset(code: code)))
    }
  }

  // MARK: The end

  func cancel() { giveUp(.reset(code: NGHTTP2_CANCEL.rawValue)) }

  private func giveUp(_ failure: ClientFailure) {
    session?.reset(id, NGHTTP2_CANCEL)
    complete(.failure(failure))
  }

  override func detach() -> Int {
    session?.heldResponseBytes -= body.count
    body = []
    return super.detach()
  }

  private func complete(_ result: Result<ClientResponse, ClientFailure>) {
    guard let completion else { return }
    self.completion = nil
    onSent = nil
    session?.heldResponseBytes -= body.count
    fields = HeaderFields()
    trailers = HeaderFields()
    body = []
    completion(result)
  }
}
