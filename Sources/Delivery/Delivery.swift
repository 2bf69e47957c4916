// Delivery: what happens to spans between the moment their success was promised and the moment they have left.
//
// Owns: the batcher, the byte budget, the sending queue, the retry schedule, the forwarder (one lane towards one
// destination), and the bookkeeping of what became of each batch.
// Never: sockets, event loops, clocks, logs. Everything here is a value that is told what happened and when (monotonic
// nanoseconds) and answers with commands; only the budgets and the counters are shared between threads, as atomics.
// Input: OTLP bytes from a writer (relay) or whole traces (aggregator). Output: `ForwarderCommand`s for a connection,
// and a `Settlement` for every batch, exactly one. A batch is in one place: open in its batcher, in its lane's queue
// (waiting, in flight or postponed), or settled.
