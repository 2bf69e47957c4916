/// One request of a client and the response as it comes in.
final class ClientStream {
  var outbound: OutboundBody
  private(set) var header: HeaderBudget
  private(set) var trailers: HeaderBudget
  private(set) var status = 0
  private(set) var body: [UInt8] = []
  private(set) var isComplete = false
  private(set) var isTooLarge = false
  private var hasHead = false
  private let bodyBytesMax: Int
  private var completion: ((Result<ClientResponse, ClientFailure>) -> Void)?

  init(
    _ outbound: OutboundBody, limits: HTTP2ClientLimits,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) {
    self.outbound = outbound
    self.completion = completion
    header = HeaderBudget(bytes: limits.headerBytesMax, fields: limits.headerFieldsMax)
    trailers = header
    bodyBytesMax = limits.responseBytesMax
  }

  func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    if name.elementsEqual(":status".utf8) {
      status = Int(String(decoding: value, as: UTF8.self)) ?? 0
    } else if hasHead {
      trailers.add(name, value)
    } else {
      header.add(name, value)
    }
  }

  /// A header list is whole; after the one of a final status come trailers.
  func headerListEnded() {
    if status >= 200 { hasHead = true }
    if header.isExceeded || trailers.isExceeded { isTooLarge = true }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard !isTooLarge, bytes.count <= bodyBytesMax - body.count else {
      isTooLarge = true
      return
    }
    body.append(contentsOf: bytes)
  }

  func complete() { isComplete = true }

  /// The stream is over.
  func end(_ failure: ClientFailure) {
    let report = completion
    completion = nil
    guard !isTooLarge else { return report?(.failure(.tooLarge)) ?? () }
    guard isComplete else { return report?(.failure(failure)) ?? () }
    report?(
      .success(ClientResponse(status: status, fields: header.fields, body: body, trailers: trailers.fields)))
  }
}
