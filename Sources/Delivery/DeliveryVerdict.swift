/// How a request to a peer ended, as plain values: the transport's and the protocol's types stay where they are.
public enum DeliveryAnswer: Sendable, Equatable {
  /// gRPC with a `grpc-status`; the delay of a `RetryInfo` where there was one, and `partial_success.rejected_spans`.
  case grpc(status: Int, retryDelay: Duration? = nil, rejectedSpans: Int64 = 0)
  /// gRPC that was answered by something else (a proxy): an HTTP status other than 200 and no `grpc-status`.
  case grpcOverHTTP(status: Int)
  /// OTLP/HTTP; the delay of a `Retry-After` where there was one, and `partial_success.rejected_spans`.
  case http(status: Int, retryAfter: Duration? = nil, rejectedSpans: Int64 = 0)
  /// No whole answer.
  case failed(DeliveryFailure)
}

/// Why a request got no whole answer.
public enum DeliveryFailure: Sendable, Equatable {
  /// The connection could not be made, its TLS was refused, or it broke: nothing that the batch can help.
  case connection
  /// The peer did not process the request, by its own word (`REFUSED_STREAM`, or above a `GOAWAY`).
  case unprocessed
  /// The peer reset the stream, or ended it without a status.
  case stream
  /// No answer within the request's timeout.
  case timeout
}

/// What becomes of a batch after a try.
public enum DeliveryVerdict: Sendable, Equatable {
  /// The peer took it, all but so many spans, which must not be sent again.
  case delivered(rejected: Int)
  /// It is tried again, not before the peer's delay.
  case retry(after: Duration?)
  /// Some of its spans are tried again, not before the peer's delay; about the others the peer has decided.
  case retryRest(DeliveryProgress, after: Duration?)
  /// It is tried again, and the try does not count against it.
  case lost
  /// It must not be sent again; the gRPC code.
  case permanentFailure(code: Int)
}

extension DeliveryAnswer {
  /// What the OTLP specification ("Failures", "OTLP/gRPC Throttling", "Retryable Response Codes") obliges a client to.
  public var verdict: DeliveryVerdict {
    switch self {
    case .grpc(0, _, let rejected): .delivered(rejected: Int(clamping: max(0, rejected)))
    case .grpc(let status, let delay, _): Self.verdict(status, delay)
    case .grpcOverHTTP: Self.verdict(code, nil)
    case .http(200...299, _, let rejected): .delivered(rejected: Int(clamping: max(0, rejected)))
    case .http(let status, let delay, _):
      switch status {
      case 429, 502, 503, 504: .retry(after: delay.map { max(.zero, $0) })
      default: .permanentFailure(code: code)
      }
    case .failed(.connection), .failed(.unprocessed): .lost
    case .failed(.stream), .failed(.timeout): .retry(after: nil)
    }
  }

  /// The gRPC status code that stands for the answer, 0 to 16: what the metrics show.
  public var code: Int {
    switch self {
    case .grpc(let status, _, _): (0...16).contains(status) ? status : 2
    case .http(200...299, _, _): 0
    case .grpcOverHTTP(let status), .http(let status, _, _): Self.code(httpStatus: status)
    case .failed(.timeout): 4
    case .failed: 14
    }
  }

  private static func verdict(_ status: Int, _ delay: Duration?) -> DeliveryVerdict {
    switch status {
    case 1, 4, 10, 11, 14, 15: .retry(after: delay.map { max(.zero, $0) })
    case 8: delay.map { .retry(after: max(.zero, $0)) } ?? .permanentFailure(code: 8)
    default: .permanentFailure(code: (0...16).contains(status) ? status : 2)
    }
  }

  /// gRPC's "HTTP to gRPC status code mapping".
  private static func code(httpStatus: Int) -> Int {
    switch httpStatus {
    case 400: 13
    case 401: 16
    case 403: 7
    case 404: 12
    case 429, 502, 503, 504: 14
    default: 2
    }
  }
}
