/// How a span left Longspan. Every span leaves through exactly one.
public enum Outcome: String, CaseIterable, Sendable {
  case forwarded
  case sampledOut = "sampled_out"
  case rejected
  case expired
  case overBudget = "over_budget"
  case undeliverable
  case duplicate
}

/// Where a span came in.
public enum ReceiverKind: String, CaseIterable, Sendable {
  case otlpGRPC = "otlp_grpc"
  case otlpHTTP = "otlp_http"
  case zipkin
  case jaegerGRPC = "jaeger_grpc"
  case jaegerThriftHTTP = "jaeger_thrift_http"
}

/// Where a span is held.
public enum HeldStage: String, CaseIterable, Sendable {
  case batch
  case queue
  case stitching
}

/// Why a whole request was refused.
public enum RefusalReason: String, CaseIterable, Sendable {
  case malformed
  case tooLarge = "too_large"
  case overload
  case unauthenticated
  case forbidden
}
