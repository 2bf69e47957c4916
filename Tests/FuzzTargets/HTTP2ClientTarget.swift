internal import HTTP2Engine

/// A client bears any bytes of a server: every request ends once, within the limits.
enum HTTP2ClientTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let limits = input.one(of: [
      HTTP2ClientLimits(), HTTP2ClientLimits(requestsInFlightMax: 3, headerFieldsMax: 6, responseBytesMax: 500),
      HTTP2ClientLimits(headerBytesMax: 200, streamWindow: 1000, connectionWindow: 70_000, outboundFramesMax: 20),
    ])
    let bodyCount = input.one(of: [500, 0, 20_000, 70_000])
    let pieceSize = input.one(of: [1 << 20, 1, 9, 33, 400])
    let flow = input.byte()
    let client = HTTP2Client(limits: limits)
    let ledger = ClientLedger(client, limits, body: [UInt8](repeating: 7, count: bodyCount), resubmits: flow & 1 != 0)
    for _ in 0..<(flow & 2 == 0 ? 10 : 1) { ledger.submit() }
    var said = SaidFrames(expectsPreface: true)
    var fault = drain(client, upTo: .max, &said)
    for (index, piece) in input.pieces(of: pieceSize).enumerated() {
      let thrown = receive(client, piece, UInt64(index + 1) * 1_000_000)
      if let fault { try check(thrown == fault, "a fault that changes") }
      fault = fault ?? thrown
      if flow & 4 == 0 || index % 4 == 0 { fault = drain(client, upTo: flow & 8 == 0 ? .max : 100, &said) ?? fault }
      try check(client.activeRequests >= ledger.open, "\(client.activeRequests) active, \(ledger.open) unanswered")
      if flow & 16 != 0, index % 5 == 0 { client.cancel(Int32(index % 31)) }
      if flow & 32 != 0, index % 7 == 0 { ledger.submit() }
      if flow & 64 != 0, index % 9 == 0 { client.ping() }
      if flow & 128 != 0, index == 20 { client.shutdown() }
      try check(fault == nil || !client.canSubmit, "would go on after a fault")
    }
    _ = drain(client, upTo: .max, &said)
    if let problem = said.problem { throw FuzzFinding(problem) }
    try PeerWindows(input.data[...]).check(said, connectionWindow: limits.connectionWindow)
    client.connectionLost()
    try check(client.isDone && client.activeRequests == 0 && !client.canSubmit, "a lost connection that is not done")
    try ledger.checkEnd()
  }

  private static func receive(_ client: HTTP2Client, _ bytes: [UInt8], _ now: UInt64) -> HTTP2Fault? {
    bytes.withUnsafeBytes { bytes in
      Result { () throws(HTTP2Fault) in try client.receive(bytes, now: now) }.fault
    }
  }

  private static func drain(_ client: HTTP2Client, upTo count: Int, _ said: inout SaidFrames) -> HTTP2Fault? {
    var bytes: [UInt8] = []
    let result = Result { () throws(HTTP2Fault) in
      _ = try client.drain(upTo: count) { bytes.append(contentsOf: $0) }
    }
    said.take(bytes)
    return result.fault
  }
}

/// The requests a client was given and how they ended.
private final class ClientLedger {
  private unowned let client: HTTP2Client
  private let limits: HTTP2ClientLimits
  private let body: [UInt8]
  private let resubmits: Bool
  private let request = ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/")
  private var ends: [Int] = []
  private var finding: String?

  init(_ client: HTTP2Client, _ limits: HTTP2ClientLimits, body: [UInt8], resubmits: Bool) {
    self.client = client
    self.limits = limits
    self.body = body
    self.resubmits = resubmits
  }

  var open: Int { ends.count { $0 == 0 } }

  func submit() {
    let index = ends.count
    let couldSubmit = client.canSubmit
    ends.append(0)
    let id = client.submit(request, prefix: [1, 2, 3, 4, 5], body: body) { [unowned self] in ended(index, $0) }
    if (id != nil) != couldSubmit { finding = "submit and canSubmit disagree" }
    if id == nil { ends[index] = 1 }
    if client.activeRequests > limits.requestsInFlightMax { finding = "\(client.activeRequests) requests at once" }
  }

  private func ended(_ index: Int, _ result: Result<ClientResponse, ClientFailure>) {
    ends[index] += 1
    if case .success(let response) = result {
      if response.body.count > limits.responseBytesMax { finding = "a body of \(response.body.count) bytes" }
      if !(0...999).contains(response.status) || (100...199).contains(response.status) {
        finding = "the status \(response.status)"
      }
      for fields in [response.fields, response.trailers] {
        var bytes = 0
        fields.forEach { bytes += $0.count + $1.count + 32 }
        if bytes > limits.headerBytesMax || fields.count > limits.headerFieldsMax {
          finding = "\(fields.count) fields of \(bytes) bytes"
        }
      }
    }
    if resubmits, ends.count < 100 { submit() }
  }

  func checkEnd() throws(FuzzFinding) {
    if let finding { throw FuzzFinding(finding) }
    for count in ends { try check(count == 1, "a request that ended \(count) times") }
  }
}
