internal import Delivery
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Transport

/// One configured exporter: what its lanes on the event loops share.
final class Exporter: Sendable {
  let name: String
  let counters: ExporterCounters
  /// Where its spans leave; nil for an exporter beside another one that decides what becomes of them.
  let ledger: SpanLedger?
  /// What it gives memory back to, and charges for what it translates.
  let budget: ByteBudget
  let logger: Logger
  private let inForce: Mutex<ExporterSettings>
  private let lastTold = Mutex<String?>(nil)

  init(
    _ settings: ExporterSettings, counters: ExporterCounters, ledger: SpanLedger?, budget: ByteBudget, logger: Logger
  ) {
    name = settings.section.name
    inForce = Mutex(settings)
    self.counters = counters
    self.ledger = ledger
    self.budget = budget
    self.logger = logger
  }

  /// What holds from now on; the lanes have their own copies.
  var settings: ExporterSettings { inForce.withLock { $0 } }

  func adopt(_ settings: ExporterSettings) {
    inForce.withLock { $0 = settings }
    // Another destination's failures are news.
    _ = isNews(nil)
  }

  /// What every log line about this exporter says.
  var metadata: Logger.Metadata { ["exporter": "\(name)", "endpoint": "\(settings.section.place)"] }

  /// Why there is no connection, in the words of the log; `nil` while there is one.
  var lastFailure: String? { lastTold.withLock { $0 } }

  /// Whether a connection's failure (`nil`: its success after one) is another than the last that any lane told.
  func isNews(_ failure: String?) -> Bool {
    lastTold.withLock { last in
      defer { last = failure }
      return last != failure
    }
  }
}
