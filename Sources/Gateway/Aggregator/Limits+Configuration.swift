internal import Stitching

extension AggregatorConfiguration {
  /// The `stitching` section in Stitching's own words, for the whole process.
  var stitchingLimits: StitchingLimits {
    var limits = StitchingLimits()
    limits.idleTimeout = stitching.idleTimeout
    limits.maxTraceAge = stitching.maxTraceAge
    limits.maxLiveTraces = stitching.maxLiveTraces
    // Half is for live traces, a little less than a third at most for what is remembered of closed ones, an eighth is
    // the spike, and the rest is for requests, batches and what nobody charges.
    limits.memoryBytesMax = stitching.memoryLimitBytes / 2
    limits.maxSpansPerTrace = stitching.maxSpansPerTrace
    limits.closedBytesMax = min(limits.closedBytesMax, stitching.memoryLimitBytes / 8)
    limits.maxLateSpans = min(limits.maxLateSpans, stitching.memoryLimitBytes / 16 / StitchingLimits.lateSpanBytes)
    return limits
  }

  /// The `flow` section in Stitching's own words, for the whole process.
  var flowLimits: FlowLimits {
    var limits = FlowLimits()
    limits.durationBuckets = flow.durationBuckets
    limits.maxRegions = flow.maxRegions
    limits.maxServices = flow.maxServices
    limits.linkTTL = flow.linkTTL
    limits.maxHalfLinks = min(flow.maxHalfLinks, stitching.memoryLimitBytes / 8 / FlowLimits.halfLinkBytes)
    return limits
  }
}
