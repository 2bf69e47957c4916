import Compression
import FaultProxy
import HTTP2Engine
import NIOCore
import TraceWire

/// Takes in the exports of one event loop's connections, over gRPC and HTTP alike, and counts them.
final class SinkService: RequestService {
  private let loop: any EventLoop
  private let decompressor = Decompressor()
  var conditions: SinkConditions
  private(set) var counts = SinkCounts()
  /// What is owed to the share of refusals: each request adds the share, each refusal takes one.
  private var refusalsDue = 0.0

  /// Far above what a measurement sends in one request.
  static let requestBytesMax = 256 << 20

  init(_ conditions: SinkConditions, on loop: any EventLoop) {
    self.conditions = conditions
    self.loop = loop
  }

  func begin(
    _ head: RequestHead, from peer: PeerIdentity, responder: any Responder
  ) -> any RequestReceiver {
    let isGRPC = head.path == GRPCExportConnection.path
    let coding = head.fields[isGRPC ? "grpc-encoding" : "content-encoding"]
    return SinkExport(
      self, isGRPC: isGRPC, coding: coding.flatMap { ContentCoding(token: $0) } ?? .identity,
      byteCount: head.contentLength ?? 0, responder: responder)
  }

  /// Looks at a whole request and says what it is answered with.
  fileprivate func take(_ body: [UInt8], isGRPC: Bool, _ coding: ContentCoding) -> Response {
    counts.requests += 1
    refusalsDue += conditions.refused
    if refusalsDue >= 1 {
      refusalsDue -= 1
      counts.refused += 1
      return isGRPC ? Self.unavailable : Response(status: 503)
    }
    guard let spans = spanCount(body, isGRPC: isGRPC, coding) else {
      counts.malformed += 1
      return isGRPC ? Self.invalid : Response(status: 400)
    }
    counts.spans += spans
    counts.bytes += body.count
    return isGRPC ? Self.accepted : Self.acceptedOverHTTP
  }

  private func spanCount(_ body: [UInt8], isGRPC: Bool, _ coding: ContentCoding) -> Int? {
    var message = body.span.bytes
    var coding = coding
    if isGRPC {
      guard let prefix = try? GRPCMessagePrefix.read(at: 0, of: message) else { return nil }
      guard Int(prefix.length) == body.count - GRPCMessagePrefix.size else { return nil }
      message = message.extracting(GRPCMessagePrefix.size...)
      if !prefix.isCompressed { coding = .identity }
    }
    guard coding != .identity else { return (try? RequestCensus(message))?.spans }
    let whole = try? decompressor.inflate(message, coding: coding, limit: Self.requestBytesMax)
    return whole.flatMap { try? RequestCensus($0.span.bytes) }?.spans
  }

  /// Answers, when it is time to.
  fileprivate func answer(_ response: Response, to responder: any Responder) {
    guard conditions.delay.nanoseconds > 0 else { return responder.respond(response) }
    loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(conditions.delay.nanoseconds))) {
      responder.respond(response)
    }
  }

  private static let accepted = Response(
    status: 200, fields: ["content-type": "application/grpc+proto"], body: [0, 0, 0, 0, 0],
    trailers: ["grpc-status": "0"])
  private static let acceptedOverHTTP = Response(status: 200, fields: ["content-type": "application/x-protobuf"])
  private static let unavailable = trailersOnly(.unavailable)
  private static let invalid = trailersOnly(.invalidArgument)

  private static func trailersOnly(_ code: GRPCStatusCode) -> Response {
    Response(status: 200, fields: ["content-type": "application/grpc", "grpc-status": "\(code.rawValue)"])
  }
}

/// One request on its way in.
private final class SinkExport: RequestReceiver {
  private let service: SinkService
  private let isGRPC: Bool
  private let coding: ContentCoding
  private let responder: any Responder
  private var body: [UInt8] = []

  init(_ service: SinkService, isGRPC: Bool, coding: ContentCoding, byteCount: Int, responder: any Responder) {
    self.service = service
    self.isGRPC = isGRPC
    self.coding = coding
    self.responder = responder
    body.reserveCapacity(min(byteCount, 1 << 20))
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    responder.consumed(bytes.count)
    guard body.count + bytes.count <= SinkService.requestBytesMax else { return }
    body.append(contentsOf: bytes)
  }

  func finish() { service.answer(service.take(body, isGRPC: isGRPC, coding), to: responder) }

  func cancel() {}
}
