// Intake: the receiving services. A request's bytes come in from Transport, whatever HTTP version carried them;
// OTLP bytes, translated by Formats where they came as something else, go to a `SpanConsumer`; the consumer's verdict
// becomes the protocol's answer. One service for HTTP and one for gRPC serve every receiver: `HTTPEndpoint` and
// `GRPCMethod` say what each of them takes.
//
// Owns: gRPC framing, content types and codings, the size limit before and after decompression, the charge of a body
// in flight against the byte budget, and the one place per protocol that turns a verdict into an answer.
// Never: sockets, policy, what becomes of a span. A success is answered only when the consumer says so.
