internal import HTTP2Engine
internal import Logging

/// A batch as one kind of destination gets it.
enum ExportMessage: Sendable {
  /// For a server: a request whose body is in two pieces.
  case request(ClientRequest, prefix: [UInt8], body: [UInt8])
  /// For a file: a line with its end.
  case line([UInt8])
  /// For the log: what each event says.
  case events([LogEntry])

  /// One event of the log.
  struct LogEntry: Sendable {
    var message: String
    var metadata: Logger.Metadata
  }

  /// Bytes that are sent, heads not among them.
  var byteCount: Int {
    switch self {
    case .request(_, let prefix, let body): prefix.count + body.count
    case .line(let bytes): bytes.count
    case .events: 0
    }
  }
}
