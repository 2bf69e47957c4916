import Compression
import HTTP2Engine
import NIOCore
import TLSEngine
import TraceWire
import Transport

/// Exports over gRPC, on one HTTP/2 connection.
final class GRPCExportConnection: ExportConnection {
  static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  private let connection: UpstreamConnection
  private let request: ClientRequest
  private let isCompressed: Bool
  private let loop: any EventLoop

  var onReady: (() -> Void)?
  var onEnd: ((String) -> Void)?

  init(_ plan: LoadPlan, tls: TLSContextSource?, on loop: any EventLoop) {
    let target = UpstreamTarget(host: plan.host, port: plan.port, tls: tls, connectTimeout: plan.patience)
    connection = UpstreamConnection(target)
    isCompressed = plan.coding != .identity
    self.loop = loop
    var fields: HeaderFields = [
      "content-type": "application/grpc+proto", "te": "trailers", "user-agent": "longspan-loadtest",
    ]
    if isCompressed { fields.append("grpc-encoding", plan.coding.token) }
    request = ClientRequest(
      method: "POST", scheme: tls == nil ? "http" : "https", authority: target.authority, path: Self.path,
      fields: fields)
  }

  func open() {
    connection.onUp = { [weak self] in self?.onReady?() }
    connection.onCapacityChange = { [weak self] in self?.onReady?() }
    connection.onDown = { [weak self] failure in self?.onEnd?(failure.message) }
    connection.open(on: loop)
  }

  func close() { connection.close() }

  var canSend: Bool { connection.canSubmit }

  func send(_ body: [UInt8], _ answered: @escaping (ExportAnswer) -> Void) {
    var prefix: [UInt8] = []
    GRPCMessagePrefix(isCompressed: isCompressed, length: UInt32(clamping: body.count)).append(to: &prefix)
    let stream = connection.submit(request, prefix: prefix, body: body) { answered(ExportAnswer(grpc: $0)) }
    if stream == nil { answered(.lost) }
  }
}
