internal import CNghttp2

/// One request on a server's connection: what came of it, and the way back to its sender.
final class ServerStream: Responder {
  let id: Int32
  private weak var server: HTTP2Server?
  var header: HeaderBudget
  var method = ""
  var path = ""
  var hasOpened = false
  /// The body's receiver, until the body ends or nobody wants it.
  var receiver: (any RequestReceiver)?
  private(set) var isAnswered = false
  /// The peer sent its END_STREAM.
  var isComplete = false
  var unconsumed = 0
  var outbound = OutboundBody(body: [])

  init(_ id: Int32, _ server: HTTP2Server, limits: HTTP2Limits) {
    self.id = id
    self.server = server
    header = HeaderBudget(bytes: limits.headerBytesMax, fields: limits.headerFieldsMax)
  }

  /// Takes in a field of the request's head.
  func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    guard !hasOpened, name.first == UInt8(ascii: ":") else { return header.add(name, value) }
    guard header.charge(name, value) else { return }
    switch name.count {
    case 7 where name.elementsEqual(":method".utf8): method = String(decoding: value, as: UTF8.self)
    case 5: path = String(decoding: value, as: UTF8.self)
    default: break
    }
  }

  /// The head, when it can be served; otherwise what to answer.
  func head() -> Result<RequestHead, Refusal> {
    guard !header.isExceeded else { return .failure(Refusal(status: 431)) }
    guard path.hasPrefix("/") || (path == "*" && method == "OPTIONS") else { return .failure(Refusal(status: 400)) }
    let length = header.fields.text("content-length").flatMap { Int($0) }
    return .success(
      RequestHead(method: method, path: path, version: .http2, fields: header.fields, contentLength: length))
  }

  struct Refusal: Error {
    var status: Int
  }

  func respond(_ response: Response) {
    guard !isAnswered else { return }
    isAnswered = true
    receiver = nil
    server?.answer(self, response)
    server?.consume(self, unconsumed)
  }

  func consumed(_ byteCount: Int) { server?.consume(self, byteCount) }

  /// The peer took the request back, or is gone.
  func abandon() {
    isAnswered = true
    let lost = receiver
    receiver = nil
    lost?.cancel()
  }
}
