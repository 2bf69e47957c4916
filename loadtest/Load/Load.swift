// Load: traffic to measure with, clients that send it, and a server that counts what comes.
//
// `Traffic` owns what is sent: whole OTLP requests of which only numbers, IDs and a few texts change from one to the
// next, so that making one costs next to nothing beside reading it. `LoadRun` owns how it is sent: connections,
// requests in flight or a fixed rate, latencies. `MeasuringSink` answers and counts.
//
// Never: randomness that a seed does not bring back (request N of a seed has the same bytes on every machine), and
// opinions on what was measured: reports are numbers.
