// Formats: other tracing systems' requests become OTLP, and OTLP becomes theirs.
//
// Owns: Zipkin v2 (JSON, protobuf), Zipkin v1 (JSON), Jaeger (thrift `Batch`, protobuf `PostSpansRequest`), each read
// once, checked against the request's bounds, and written as an `ExportTraceServiceRequest`. Every format fills a
// `SpanDraft`; the draft knows what names mean; `RequestDraft` sorts finished spans by resource and scope.
// The way out is a walk over an OTLP request (`OTLPSpanWriter`) that writes each span with what stands around it:
// Zipkin v2 JSON, documents for Elasticsearch's bulk API. OTLP/JSON is TraceWire's, both ways.
// Never: sockets, compression, limits on a request's size, policy. A fault says where and of what kind, nothing more.
// Names that neither specification fixes are those of the OpenTelemetry Collector's translators.
//
// Memory and time are linear in the request: strings are written once, a resource that many spans share at most as
// often as `RequestDraft` allows, and `RequestDraft.groupsMax` bounds the resources that are open at once; on the way
// out `RepetitionBudget` bounds how often a resource is said again.
