import HTTP2Engine

/// A client and a server on one wire without latency; nothing moves until `settle`.
final class Link {
  let service = RecordingService()
  let server: HTTP2Server
  let client: HTTP2Client
  var now: UInt64 = 1
  var serverFault: HTTP2Fault?
  var clientFault: HTTP2Fault?
  /// Bytes that went each way.
  var toServer = 0
  var toClient = 0
  /// The largest piece in which bytes are delivered.
  var pieceMax = Int.max

  init(server: HTTP2Limits = HTTP2Limits(), client: HTTP2ClientLimits = HTTP2ClientLimits()) {
    let peer = PeerIdentity(address: "192.0.2.1", region: "us-east-1", isAuthenticated: true)
    self.server = HTTP2Server(limits: server, service: service, peer: peer)
    self.client = HTTP2Client(limits: client)
  }

  /// Carries bytes both ways until none are left.
  func settle() {
    while true {
      let up = output { sink in
        try client.drain(sink)
      } failing: {
        clientFault = $0
      }
      deliver(up) { bytes in
        try server.receive(bytes, now: now)
      } failing: {
        serverFault = $0
      }
      let down = output { sink in
        try server.drain(upTo: .max, sink)
      } failing: {
        serverFault = $0
      }
      deliver(down) { bytes in
        try client.receive(bytes, now: now)
      } failing: {
        clientFault = $0
      }
      toServer += up.count
      toClient += down.count
      if up.isEmpty, down.isEmpty { return }
    }
  }

  private func output(
    _ drain: ((UnsafeRawBufferPointer) -> Void) throws -> Bool, failing: (HTTP2Fault?) -> Void
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    do { _ = try drain { bytes.append(contentsOf: $0) } } catch { failing(error as? HTTP2Fault) }
    return bytes
  }

  private func deliver(
    _ bytes: [UInt8], _ receive: (UnsafeRawBufferPointer) throws -> Void, failing: (HTTP2Fault?) -> Void
  ) {
    bytes.withUnsafeBytes { all in
      var rest = all[...]
      while !rest.isEmpty {
        let piece = rest.prefix(pieceMax)
        do { try receive(UnsafeRawBufferPointer(rebasing: piece)) } catch {
          failing(error as? HTTP2Fault)
          return
        }
        rest = rest.dropFirst(piece.count)
      }
    }
  }

  /// Sends a request and remembers how it ends.
  @discardableResult
  func post(
    _ path: String = "/v1/traces", fields: HeaderFields = HeaderFields(), prefix: [UInt8] = [], body: [UInt8] = []
  ) -> Outcome {
    let outcome = Outcome()
    let request = ClientRequest(method: "POST", scheme: "http", authority: "test", path: path, fields: fields)
    outcome.id = client.submit(request, prefix: prefix, body: body, sent: { outcome.sents += 1 }) {
      outcome.ends += 1
      outcome.result = $0
    }
    return outcome
  }
}

/// How one request ended.
final class Outcome {
  var id: Int32?
  var sents = 0
  var ends = 0
  var result: Result<ClientResponse, ClientFailure>?

  var response: ClientResponse? { try? result?.get() }
  var failure: ClientFailure? {
    if case .failure(let failure)? = result { return failure }
    return nil
  }
}

/// A seeded source of randomness (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
