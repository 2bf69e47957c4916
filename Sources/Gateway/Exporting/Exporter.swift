internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Transport

/// One configured exporter: what its lanes on the event loops share.
final class Exporter: Sendable {
  let name: String
  let target: UpstreamTarget
  let options: ForwarderOptions
  let http2: HTTP2ClientLimits
  let export: OTLPExport
  /// The heads of requests by their message's coding.
  let requests: [ContentCoding: ClientRequest]
  let counters: ExporterCounters
  let ledger: SpanLedger
  let budget: ByteBudget
  let logger: Logger
  private let lastTold = Mutex<String?>(nil)

  init(
    name: String, target: UpstreamTarget, options: ForwarderOptions, http2: HTTP2ClientLimits, export: OTLPExport,
    counters: ExporterCounters, ledger: SpanLedger, budget: ByteBudget, logger: Logger
  ) {
    self.name = name
    self.target = target
    self.options = options
    self.http2 = http2
    self.export = export
    requests = Dictionary(uniqueKeysWithValues: ContentCoding.allCases.map { ($0, export.request($0)) })
    self.counters = counters
    self.ledger = ledger
    self.budget = budget
    self.logger = logger
  }

  /// What every log line about this exporter says.
  var metadata: Logger.Metadata { ["exporter": "\(name)", "endpoint": "\(target.authority)"] }

  /// Whether a connection's failure (`nil`: its success after one) is another than the last that any lane told.
  func isNews(_ failure: String?) -> Bool {
    lastTold.withLock { last in
      defer { last = failure }
      return last != failure
    }
  }
}
