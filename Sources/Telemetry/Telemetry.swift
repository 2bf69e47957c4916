// Telemetry: what Longspan says of itself: counters, histograms, label caps, exposition text, log lines.
//
// Owns: the span ledger with its named outcomes, the shapes of a metric, Prometheus text 0.0.4 and OpenMetrics 1.0,
// the log handler (one event, one line).
// Never: HTTP, files, configuration. Everything is pulled: a scrape collects `MetricFamily` values and writes them.
