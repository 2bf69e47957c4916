/// The status codes of gRPC, numbered as on the wire.
public enum GRPCStatusCode: Int, Sendable, CaseIterable {
  case ok = 0
  case cancelled = 1
  case unknown = 2
  case invalidArgument = 3
  case deadlineExceeded = 4
  case notFound = 5
  case alreadyExists = 6
  case permissionDenied = 7
  case resourceExhausted = 8
  case failedPrecondition = 9
  case aborted = 10
  case outOfRange = 11
  case unimplemented = 12
  case `internal` = 13
  case unavailable = 14
  case dataLoss = 15
  case unauthenticated = 16

  /// Reads a `grpc-status` header; what is no known code is `unknown`, as gRPC demands.
  public init(header: some Sequence<UInt8>) {
    var number = 0
    var digits = 0
    for byte in header {
      guard (0x30...0x39).contains(byte), digits < 2 else {
        self = .unknown
        return
      }
      number = number * 10 + Int(byte - 0x30)
      digits += 1
    }
    self = digits == 0 ? .unknown : GRPCStatusCode(rawValue: number) ?? .unknown
  }

  /// The code that stands for an HTTP answer without `grpc-status` (gRPC, "HTTP to gRPC Status Code Mapping").
  public init(httpStatus: Int) {
    switch httpStatus {
    case 400: self = .internal
    case 401: self = .unauthenticated
    case 403: self = .permissionDenied
    case 404: self = .unimplemented
    case 429, 502, 503, 504: self = .unavailable
    default: self = .unknown
    }
  }

  /// Whether an OTLP client may send the same request again (OTLP, "Failures"). `resourceExhausted` may be retried
  /// only where the server says when.
  public func isRetryable(hasRetryInfo: Bool) -> Bool {
    switch self {
    case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss: true
    case .resourceExhausted: hasRetryInfo
    default: false
    }
  }

  /// The code's name in the specification.
  public var name: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internal: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }
}
