internal import Compression
internal import Delivery
internal import HTTP2Engine

/// The part of a request that is the same for every batch.
struct HTTPRequestHeads: Sendable {
  private let heads: [ContentCoding: ClientRequest]
  /// The field that says whose a batch is; nil where it says the same of all.
  private let tenantHeader: String?

  /// Heads of POST requests by their messages' coding, which stands in `codingField`. A batch's tenant stands in
  /// `tenantHeader`, unless `headers` have that.
  init(
    authority: String, isSecure: Bool, path: String, contentType: String, codingField: String = "content-encoding",
    headers: [(name: String, value: String)], tenantHeader: String
  ) {
    self.tenantHeader = headers.contains { $0.name == tenantHeader } ? nil : tenantHeader
    var heads: [ContentCoding: ClientRequest] = [:]
    for coding in ContentCoding.allCases {
      var fields: HeaderFields = ["content-type": contentType, "user-agent": "longspan/\(LongspanVersion.text)"]
      if coding != .identity { fields.append(name: codingField, value: coding.token) }
      for (name, value) in headers { fields.append(name: name, value: value) }
      heads[coding] = ClientRequest(
        method: "POST", scheme: isSecure ? "https" : "http", authority: authority, path: path, fields: fields)
    }
    self.heads = heads
  }

  /// The head of a message, whatever its batch is.
  subscript(coding: ContentCoding) -> ClientRequest? { heads[coding] }

  /// The head of a batch's message.
  func head(of batch: Batch, _ coding: ContentCoding) -> ClientRequest? {
    guard let tenant = batch.tenant, let tenantHeader else { return heads[coding] }
    return heads[coding]?.adding(name: tenantHeader, tenant)
  }
}
