internal import Telemetry

/// A method of gRPC that senders of traces call.
public enum GRPCMethod: Sendable {
  case otlpExport
  case jaegerPostSpans
  /// Asks what part of the traces to sample; sends none.
  case jaegerSamplingStrategy

  /// The method's `:path`.
  public var path: String {
    switch self {
    case .otlpExport: "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    case .jaegerPostSpans: "/jaeger.api_v2.CollectorService/PostSpans"
    case .jaegerSamplingStrategy: "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"
    }
  }

  /// Under which name spans are counted.
  var receiver: ReceiverKind {
    switch self {
    case .otlpExport: .otlpGRPC
    case .jaegerPostSpans, .jaegerSamplingStrategy: .jaegerGRPC
    }
  }

  /// How a message is written.
  var format: BodyFormat {
    switch self {
    case .otlpExport, .jaegerSamplingStrategy: .otlp
    case .jaegerPostSpans: .jaegerProtobuf
    }
  }
}
