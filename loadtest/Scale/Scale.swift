// Scale: how many relays and shards a load needs, by simulation from what a span was measured to cost.
//
// `Costs` is what was measured, `Deployment` what is asked for. `ShardSimulation` and `LaneSimulation` let traffic arrive
// at some shards and at the busiest lane of a region and say how long it waits and what it occupies; `Outage` lets the
// aggregator be away. `Sizing` looks for the smallest numbers with which nothing waits too long.
//
// A shard and a lane are an event loop each: one core, one queue, served in order. Traces of a region begin as a
// Poisson process whose rate is modulated (`Burst`). Shards are assigned by a keyed hash of the trace ID, so each of k
// shards sees the same process with a k-th of its rate, and to watch a few of them with exactly that rate is no
// approximation: Poisson processes may be split and joined. What the watched share, they share here too: the bursts.
// Connections stay with their lane, so there the imbalance does last: all connections of a region are spread over all
// its lanes, and the lane with the most is the one that is simulated.
//
// Never: I/O, clocks, randomness without a seed. The same seed gives the same numbers.
