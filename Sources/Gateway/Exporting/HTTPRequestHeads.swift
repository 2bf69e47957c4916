internal import Compression
internal import HTTP2Engine

/// The part of a request that is the same for every batch.
struct HTTPRequestHeads: Sendable {
  private let heads: [ContentCoding: ClientRequest]

  /// Heads of POST requests by their messages' coding, which stands in `codingField`.
  init(
    authority: String, isSecure: Bool, path: String, contentType: String, codingField: String = "content-encoding",
    headers: [(name: String, value: String)]
  ) {
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

  subscript(coding: ContentCoding) -> ClientRequest? { heads[coding] }
}
