// Formats: other tracing systems' requests become OTLP.
//
// Owns: Zipkin v2 (JSON, protobuf), Zipkin v1 (JSON), Jaeger (thrift `Batch`, protobuf `PostSpansRequest`), each read
// once, checked against the request's bounds, and written as an `ExportTraceServiceRequest`. Every format fills a
// `SpanDraft`; the draft knows what names mean; `RequestDraft` sorts finished spans by resource and scope.
// Never: sockets, compression, limits on a request's size, policy. A fault says where and of what kind, nothing more.
// Names that neither specification fixes are those of the OpenTelemetry Collector's translators.
//
// Memory and time are linear in the request: strings are written once, a resource that many spans share at most as
// often as `RequestDraft` allows, and `RequestDraft.groupsMax` bounds the resources that are open at once.
