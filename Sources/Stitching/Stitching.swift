// Stitching: the aggregator's heart. It collects the spans of a trace from all regions, counts what flows between
// regions, and hands each trace on whole.
//
// Owns: the table of live traces, duplicates, closing, the tree, crossings and flow metrics, what is remembered of
// closed traces (span IDs, ends that wait for their other), late spans, and the map of trace IDs to shards.
// Never: I/O, clocks, locks on the span path (only a label that a shard has not seen before asks the shared table).
// Input: `ReceivedRequest`s, the indices of a shard's spans in them, and a monotonic clock's nanoseconds.
// Output: `IngestReport`s, `Closing`s for the exporters, and a `FlowSnapshot` at a scrape.
//
// One `StitchingShard` per event loop. A span goes through four steps: the `Segmenter` makes a `SpanRecord` of it,
// the trace's `Segment` takes it in and *matches* it with what is known (each parent-child link is found exactly
// once, by whichever end comes second), the `ClosePolicy` says when the trace *closes*, and a `Closing` *hands on*
// its bytes, which never mix with the facts: young ones wait in the request that brought them (`YoungSpans`), older ones
// compressed (`SpanStore`). What outlives a trace lies in `ClosedTraces` and `HalfLinks`.
//
// Besides the contract's metrics a shard publishes: `stitching_early_closed_traces_total{reason}`,
// `stitching_over_budget_spans_total`, `stitching_duplicate_spans_total`, `stitching_forgotten_total{memory}`,
// `stitching_label_overflow_total{label}`, and gauges `stitching_live_traces`, `stitching_closed_traces`,
// `stitching_half_links`, `stitching_memory_bytes`.
