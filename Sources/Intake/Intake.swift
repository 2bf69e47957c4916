// Intake: the receiving services. A request's bytes come in from Transport, whatever HTTP version carried them;
// OTLP bytes go to a `SpanConsumer`; the consumer's verdict becomes the protocol's answer.
//
// Owns: gRPC framing, content types and codings, the size limit before and after decompression, the charge of a body
// in flight against the byte budget, and the one place per protocol that turns a verdict into an answer.
// Never: sockets, policy, what becomes of a span. A success is answered only when the consumer says so.
