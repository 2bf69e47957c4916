// TraceWire: the wire formats of traces, as views over bytes.
//
// Owns: trace and span IDs, the protobuf cursor, the one walk over an OTLP request that fills `RequestFacts`, the
// writer that copies kept spans byte for byte, the editor of a single span, OTLP/JSON, tracestate, `Threshold`, W3C
// baggage, and the small messages OTLP answers with.
// Never: I/O, clocks, locks, decisions. What to keep and what to change comes in as a `RewritePlan`.
// Input is one contiguous buffer a peer sent; every offset is checked and a fault names the offset, never the bytes.
// Output is OTLP bytes appended to a caller's buffer. Nothing is allocated per span once the arrays have grown.
