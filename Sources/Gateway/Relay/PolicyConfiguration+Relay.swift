internal import Delivery
internal import Policy
internal import TraceWire

extension PolicyConfiguration {
  /// What a relay's configuration says about policy, in Policy's own words.
  init(_ relay: RelayConfiguration) {
    self.init(
      region: relay.region, defaultProbability: relay.sampling.probability,
      mode: relay.sampling.mode == .proportional ? .proportional : .equalizing,
      routes: relay.routes.map { Route(from: $0.from, to: $0.to, probability: $0.probability) },
      regions: relay.regions.map { rule in
        RegionRule(name: rule.name, hosts: rule.hosts, cidrs: rule.cidrs.compactMap { CIDRBlock($0) })
      },
      baggage: relay.baggage.map { BaggageLimits($0) },
      resourceActions: relay.resourceActions.map { ResourceAction($0) })
  }
}

extension BaggageLimits {
  fileprivate init(_ limits: BaggageConfiguration) {
    self.init(
      maxCount: limits.maxCount, maxLength: limits.maxLength, prefix: limits.prefix, keys: limits.keys,
      headerAttributes: limits.headerAttributes, allow: limits.allow, deny: limits.deny)
  }
}

extension ResourceAction {
  fileprivate init(_ action: ResourceActionConfiguration) {
    let kind: Kind =
      switch action.action {
      case .insert: .insert
      case .update: .update
      case .upsert: .upsert
      case .delete: .delete
      }
    let value: AttributeValue? =
      switch action.value {
      case .string(let text): .string(text)
      case .bool(let flag): .bool(flag)
      case .int(let number): .int(number)
      case .double(let number): .double(number)
      case nil: nil
      }
    self.init(kind, key: action.key, value: value)
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
