internal import HTTP2Engine

/// A server bears any bytes of a client: it ends in a fault or stays consistent, and what it says is HTTP/2.
enum HTTP2ServerTarget {
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let limits = input.one(of: [
      HTTP2Limits(), HTTP2Limits(maxConcurrentStreams: 2, headerBytesMax: 300, headerFieldsMax: 6),
      HTTP2Limits(maxConcurrentStreams: 8, streamWindow: 1000, connectionWindow: 70_000, outboundFramesMax: 20),
      HTTP2Limits(streamWindow: 100_000, connectionWindow: 1000, abuse: AbuseMeter.Budget(tokens: 50)),
    ])
    let service = RandomService(choices: input.byte(), limits: limits)
    let pieceSize = input.one(of: [1 << 20, 1, 9, 33, 400])
    let flow = input.byte()
    let stream = flow & 1 == 0 ? preface + input.data : input.data
    let server = HTTP2Server(limits: limits, service: service, peer: PeerIdentity(address: "192.0.2.1"))
    var said = SaidFrames(expectsPreface: false)
    var fault: HTTP2Fault?
    var now: UInt64 = 1
    for (index, piece) in FuzzInput(stream).pieces(of: pieceSize).enumerated() {
      now += 1_000_000
      let thrown = receive(server, piece, now)
      if let fault { try check(thrown == fault, "a fault that changes") }
      fault = fault ?? thrown
      try check(service.finding == nil, service.finding ?? "")
      if flow & 2 == 0 || index % 4 == 0 || fault != nil {
        let before = said.controlFrames
        let answers = service.answers
        let thrown = drain(server, upTo: flow & 4 == 0 ? .max : 100, &said)
        fault = fault ?? thrown
        let added = said.controlFrames - before
        let most = limits.outboundFramesMax + 4 * piece.count + 10 * (answers + 1) + 20
        try check(added <= most, "\(added) frames waited, \(most) at most")
      }
      if flow & 8 != 0, index % 3 == 0 { service.answerOne() }
      if flow & 16 != 0, index == 40 { server.shutdown() }
      if flow & 32 != 0, fault != nil { break }
    }
    if flow & 64 != 0 { server.inputEnded() }
    _ = drain(server, upTo: .max, &said)
    if let problem = said.problem { throw FuzzFinding(problem) }
    try PeerWindows(stream.dropFirst(preface.count)).check(said, connectionWindow: limits.connectionWindow)
    server.connectionLost()
    try check(server.isDone && !server.hasOutput, "a lost connection that is not done")
    service.answerAll()
    try service.checkEnd()
  }

  private static func receive(_ server: HTTP2Server, _ bytes: [UInt8], _ now: UInt64) -> HTTP2Fault? {
    bytes.withUnsafeBytes { bytes in
      Result { () throws(HTTP2Fault) in try server.receive(bytes, now: now) }.fault
    }
  }

  private static func drain(_ server: HTTP2Server, upTo count: Int, _ said: inout SaidFrames) -> HTTP2Fault? {
    var bytes: [UInt8] = []
    let result = Result { () throws(HTTP2Fault) in
      _ = try server.drain(upTo: count) { bytes.append(contentsOf: $0) }
    }
    said.take(bytes)
    return result.fault
  }
}

extension Result {
  var fault: Failure? { if case .failure(let fault) = self { fault } else { nil } }
}

/// A service that reads, answers and stalls as its choices say, and sees to it that it is told nothing wrong.
private final class RandomService: RequestService {
  let choices: UInt8
  let limits: HTTP2Limits
  var requests: [RandomRequest] = []
  var finding: String?
  var answers = 0

  init(choices: UInt8, limits: HTTP2Limits) {
    self.choices = choices
    self.limits = limits
  }

  var response: Response {
    var response = Response(status: 200, fields: ["content-type": "application/grpc"])
    if choices & 1 != 0 { response.body = [UInt8](repeating: 7, count: 70_000) }
    if choices & 2 != 0 { response.trailers = ["grpc-status": "0"] }
    response.closesConnection = choices & 0xc0 == 0xc0
    return response
  }

  func begin(_ head: RequestHead, from peer: PeerIdentity, responder: any Responder) -> any RequestReceiver {
    let request = RandomRequest(self, responder)
    requests.append(request)
    let active = requests.count { $0.isOpen }
    if active > limits.maxConcurrentStreams { finding = "\(active) requests at once" }
    var bytes = 0
    head.fields.forEach { bytes += $0.count + $1.count + 32 }
    if bytes > limits.headerBytesMax || head.fields.count > limits.headerFieldsMax {
      finding = "a head of \(head.fields.count) fields and \(bytes) bytes"
    }
    if !head.path.hasPrefix("/"), head.path != "*" { finding = "the path \(head.path)" }
    if choices & 4 != 0, requests.count % 3 == 0 { request.answer() }
    return request
  }

  func noteUnconsumed() {
    let all = requests.reduce(0) { $0 + $1.unconsumed }
    if all > max(65_535, Int(limits.connectionWindow)) { finding = "\(all) bytes of bodies that nobody consumed" }
  }

  func answerOne() {
    guard let request = requests.first(where: \.isOpen) else { return }
    request.consumeAll()
    request.answer()
  }

  func answerAll() {
    for request in requests {
      request.consumeAll()
      request.answer()
    }
  }

  func checkEnd() throws(FuzzFinding) {
    if let finding { throw FuzzFinding(finding) }
    for request in requests {
      try check(request.ends <= 1, "a request that ended \(request.ends) times")
      try check(request.ends == 1 || request.isAnswered, "a request that never ended")
    }
  }
}

private final class RandomRequest: RequestReceiver {
  private unowned let service: RandomService
  private let responder: any Responder
  private(set) var unconsumed = 0
  private(set) var ends = 0
  private(set) var isAnswered = false
  private var wasCancelled = false

  var isOpen: Bool { !isAnswered && !wasCancelled }

  init(_ service: RandomService, _ responder: any Responder) {
    self.service = service
    self.responder = responder
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    if isAnswered || ends > 0 { service.finding = "bytes for a request that is done" }
    unconsumed += bytes.count
    if unconsumed > max(65_535, Int(service.limits.streamWindow)) {
      service.finding = "\(unconsumed) bytes of a body that nobody consumed"
    }
    service.noteUnconsumed()
    if service.choices & 8 == 0 { consumeAll() }
    if service.choices & 16 != 0, unconsumed > 500 { answer() }
  }

  func finish() {
    if isAnswered { service.finding = "the end of a request that is answered" }
    ends += 1
    if service.choices & 32 == 0 { answer() }
  }

  func cancel() {
    if isAnswered { service.finding = "a cancellation of what is answered" }
    ends += 1
    wasCancelled = true
    unconsumed = 0
  }

  func consumeAll() {
    responder.consumed(unconsumed)
    unconsumed = 0
    // More than came is nobody's to give back.
    responder.consumed(100)
  }

  func answer() {
    guard !isAnswered else { return }
    isAnswered = true
    service.answers += 1
    consumeAll()
    responder.respond(service.response)
    responder.respond(service.response)
  }
}
