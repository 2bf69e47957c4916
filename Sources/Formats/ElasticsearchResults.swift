internal import TraceWire

/// What the bulk API made of each document.
public struct ElasticsearchResults: Sendable {
  /// What is to be done about a document.
  public enum Verdict: Sendable {
    /// It is there: stored now, or before (a document of that ID exists).
    case stored
    /// Too much at the moment, or a failure of the server's: send it again later.
    case retry
    /// It would be refused again: it does not fit the index's mapping, or has no index to go to.
    case refused
  }

  /// HTTP statuses, in the order of the documents; 0 where the response names none.
  public let statuses: [UInt16]
  /// The type of the first error (`mapper_parsing_exception`), cut: the peer's own text, to be logged escaped.
  public let errorType: String?

  /// The largest response that is read; one with 10 000 long errors is below.
  public static let responseBytesMax = 32 << 20

  /// What to do about the document at a place. One that the response leaves out was not stored, as far as is known.
  public func verdict(of place: Int) -> Verdict {
    guard statuses.indices.contains(place) else { return .retry }
    return Self.verdict(ofStatus: statuses[place])
  }

  /// What to do about a document, or a whole request, that was answered with this HTTP status.
  public static func verdict(ofStatus status: UInt16) -> Verdict {
    switch status {
    case 200..<300, 409: .stored
    case 0, 408, 429, 500...: .retry
    default: .refused
    }
  }
}

/// Reads a response of the bulk API (Elasticsearch, "Bulk API", response body).
struct ElasticsearchResponseReader {
  private var fields = JSONFields()
  private(set) var statuses: [UInt16] = []
  private(set) var errorType: String?

  private static let errorTypeBytesMax = 64

  mutating func read(_ json: RawSpan) throws(WireFault) {
    guard json.byteCount <= ElasticsearchResults.responseBytesMax else { throw WireFault(.badLength, at: 0) }
    var hasItems = false
    guard try fields.openObject(in: json) else { throw WireFault(.badValue, at: 0) }
    repeat {
      guard let name = try fields.name(in: json) else { continue }
      if name.matches("items", in: json) {
        guard !hasItems else { throw WireFault(.badValue, at: fields.scanner.position) }
        hasItems = true
        try readItems(json)
      } else {
        try fields.skip(in: json)
      }
    } while try fields.hasMember(in: json)
    try fields.scanner.expectEnd(in: json)
    // Without them it is something else's answer.
    guard hasItems else { throw WireFault(.badValue, at: 0) }
  }

  private mutating func readItems(_ json: RawSpan) throws(WireFault) {
    guard try fields.openList(in: json) else { return }
    repeat {
      var status: UInt16 = 0
      if try fields.openObject(in: json) {
        repeat {
          // Its name is the action's, of which there is one.
          if try fields.name(in: json) != nil { status = try readItem(json) }
        } while try fields.hasMember(in: json)
      }
      statuses.append(status)
    } while try fields.hasElement(in: json)
  }

  private mutating func readItem(_ json: RawSpan) throws(WireFault) -> UInt16 {
    var status: UInt16 = 0
    guard try fields.openObject(in: json) else { return status }
    repeat {
      guard let name = try fields.name(in: json) else { continue }
      if name.matches("status", in: json) {
        status = UInt16(clamping: try fields.count(in: json))
      } else if name.matches("error", in: json), errorType == nil {
        try readError(json)
      } else {
        try fields.skip(in: json)
      }
    } while try fields.hasMember(in: json)
    return status
  }

  /// An object since version 5, text before.
  private mutating func readError(_ json: RawSpan) throws(WireFault) {
    guard try fields.scanner.peek(in: json) == UInt8(ascii: "{") else { return try fields.skip(in: json) }
    guard try fields.openObject(in: json) else { return }
    repeat {
      guard let name = try fields.name(in: json) else { continue }
      if name.matches("type", in: json), try fields.scanner.peek(in: json) == UInt8(ascii: "\"") {
        var text: [UInt8] = []
        text.append(try fields.string(in: json), of: json)
        errorType = String(decoding: text.prefix(Self.errorTypeBytesMax), as: UTF8.self)
      } else {
        try fields.skip(in: json)
      }
    } while try fields.hasMember(in: json)
  }
}
