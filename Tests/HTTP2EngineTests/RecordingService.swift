import HTTP2Engine

/// A service that writes down what it is told and does as the test says.
final class RecordingService: RequestService {
  var requests: [RecordedRequest] = []
  /// Whether body bytes are consumed as they come.
  var consumes = true
  /// What a finished request is answered with; nil leaves it to the test.
  var answer: ((RecordedRequest) -> Response?)? = { _ in Response(status: 200) }
  /// What a request is answered with before its body came.
  var earlyAnswer: ((RequestHead) -> Response?)?

  func begin(_ head: RequestHead, from peer: PeerIdentity, responder: any Responder) -> any RequestReceiver {
    let request = RecordedRequest(head: head, peer: peer, responder: responder, service: self)
    requests.append(request)
    if let response = earlyAnswer?(head) { responder.respond(response) }
    return request
  }
}

final class RecordedRequest: RequestReceiver {
  let head: RequestHead
  let peer: PeerIdentity
  let responder: any Responder
  private unowned let service: RecordingService
  var body: [UInt8] = []
  var finishes = 0
  var cancels = 0

  init(head: RequestHead, peer: PeerIdentity, responder: any Responder, service: RecordingService) {
    self.head = head
    self.peer = peer
    self.responder = responder
    self.service = service
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    body.append(contentsOf: bytes)
    if service.consumes { responder.consumed(bytes.count) }
  }

  func finish() {
    finishes += 1
    if let response = service.answer?(self) { responder.respond(response) }
  }

  func cancel() { cancels += 1 }
}
