// Policy: what a relay does with the spans it is given.
//
// Owns: routes and the probability of each, the recognition of regions, the sampling decision and the threshold it
// writes, the memory of the routes a trace was seen on, the limits on baggage, the stamping of the relay's own region,
// and the processors of both roles: actions on attributes, span names, redaction (`Processors/RequestProcessor.swift`).
// Never: sockets, files, clocks, log lines. Time comes in as monotonic nanoseconds.
// Input is `RequestFacts` (TraceWire's one walk) and the bytes they point into; output is a `RewritePlan`, which
// TraceWire's writer carries out, and a `PolicyTally` for the span ledger.
//
// `PolicyConfiguration` (plain words) is compiled once into a `RelayPolicy` (immutable, shared by all loops). Every
// event loop has a `PolicyEngine` of its own: its caches and counters. `TraceMemory` is the one thing that loops share
// and that outlives a change of configuration. A span that is left alone costs no allocation, nor does an edited one
// once the arrays have grown. All hashes are keyed with a secret, for peers choose trace IDs, hosts and region names.
