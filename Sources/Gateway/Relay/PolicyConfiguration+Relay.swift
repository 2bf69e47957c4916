internal import Delivery
internal import Policy

extension PolicyConfiguration {
  /// What a relay's configuration says about policy, in Policy's own words.
  init(_ relay: RelayConfiguration, _ detection: ResourceDetection = .real) {
    self.init(
      region: relay.region, defaultProbability: relay.sampling.probability,
      mode: relay.sampling.mode == .proportional ? .proportional : .equalizing,
      routes: relay.routes.map { Route($0) },
      regions: relay.regions.map { rule in
        RegionRule(name: rule.name, hosts: rule.hosts, cidrs: rule.cidrs.compactMap { CIDRBlock($0) })
      },
      baggage: relay.baggage.map { BaggageLimits($0) },
      processors: detection.rules(relay.editing))
  }
}

extension Route {
  fileprivate init(_ route: RouteConfiguration) {
    self.init(from: route.from, to: route.to, probability: route.probability, redaction: route.redaction)
  }
}

extension BaggageLimits {
  fileprivate init(_ limits: BaggageConfiguration) {
    self.init(
      maxCount: limits.maxCount, maxLength: limits.maxLength, prefix: limits.prefix, keys: limits.keys,
      headerAttributes: limits.headerAttributes, allow: limits.allow, deny: limits.deny)
  }
}

extension BatchLimits {
  /// The batch processor's settings.
  init(_ batch: BatchConfiguration) {
    self.init(timeout: batch.timeout, sendBatchSize: batch.sendBatchSize, sendBatchMaxSize: batch.sendBatchMaxSize)
  }

  /// With a queue on disk clients wait until a batch is written: it is not held back for long.
  var whereClientsWait: BatchLimits {
    var limits = self
    limits.timeout = min(limits.timeout, StoredQueue.timeout)
    return limits
  }
}
