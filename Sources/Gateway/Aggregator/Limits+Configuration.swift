internal import Stitching

extension AggregatorConfiguration {
  /// The `stitching` section in Stitching's own words, for the whole process.
  var stitchingLimits: StitchingLimits {
    var limits = StitchingLimits()
    limits.idleTimeout = stitching.idleTimeout
    limits.maxTraceAge = stitching.maxTraceAge
    limits.maxLiveTraces = stitching.maxLiveTraces
    limits.memoryBytesMax = stitching.memoryLimitBytes / 2
    limits.maxSpansPerTrace = stitching.maxSpansPerTrace
    limits.closedBytesMax = min(limits.closedBytesMax, stitching.memoryLimitBytes / 8)
    return limits
  }

  /// The `flow` section in Stitching's own words, for the whole process.
  var flowLimits: FlowLimits {
    var limits = FlowLimits()
    limits.durationBuckets = flow.durationBuckets
    limits.maxRegions = flow.maxRegions
    limits.maxServices = flow.maxServices
    limits.linkTTL = flow.linkTTL
    limits.maxHalfLinks = flow.maxHalfLinks
    return limits
  }
}
