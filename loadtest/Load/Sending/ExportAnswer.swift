import HTTP2Engine
import TraceWire

/// What became of one request.
enum ExportAnswer: Hashable {
  case grpc(GRPCStatusCode)
  case http(Int)
  /// The connection or the stream ended first.
  case lost
  /// The plan's patience was over.
  case unanswered

  var isAccepted: Bool { self == .grpc(.ok) || self == .http(200) }

  /// As reports have it.
  var name: String {
    switch self {
    case .grpc(let code): code.name
    case .http(let status): "\(status)"
    case .lost: "lost"
    case .unanswered: "unanswered"
    }
  }

  /// What a gRPC response says; without `grpc-status` it is whatever answers HTTP there.
  init(grpc result: Result<ClientResponse, ClientFailure>) {
    guard case .success(let response) = result else {
      self = .lost
      return
    }
    if let status = response.trailers["grpc-status"] ?? response.fields["grpc-status"] {
      self = .grpc(GRPCStatusCode(header: status))
    } else {
      self = .http(response.status == 200 ? 502 : response.status)
    }
  }
}

/// One connection that requests go out on; used on its event loop.
protocol ExportConnection: AnyObject {
  /// Called whenever requests may be sent that could not be before.
  var onReady: (() -> Void)? { get set }
  /// Called once, when it could not be made or has ended; requests in flight were answered `lost` before.
  var onEnd: ((String) -> Void)? { get set }
  func open()
  func close()
  /// Whether a request may be sent now.
  var canSend: Bool { get }
  /// Sends a request, a body encoded as the plan says. `answered` is called exactly once.
  func send(_ body: [UInt8], _ answered: @escaping (ExportAnswer) -> Void)
}
