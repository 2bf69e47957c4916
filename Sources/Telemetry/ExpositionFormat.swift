/// The text a scraper asked for.
public enum ExpositionFormat: Sendable, Equatable {
  /// Prometheus text 0.0.4, which every scraper reads.
  case prometheusText
  /// OpenMetrics 1.0.
  case openMetrics

  /// The exact `Content-Type` of an answer in this format.
  public var contentType: String {
    switch self {
    case .prometheusText: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// Chooses by the `Accept` header (RFC 9110, 12.5.1): the greater `q` wins, a named type beats a wildcard of the same
  /// `q`, then the first named. OpenMetrics is only for who asks for it; where nothing fits, the answer is plain text.
  public static func negotiate(accept: String?) -> ExpositionFormat {
    var best: (format: ExpositionFormat, quality: Double, isNamed: Bool)?
    for range in (accept ?? "").split(separator: ",") {
      guard let offer = MediaRange(range), let format = offer.format, offer.quality > 0 else { continue }
      if let current = best {
        if offer.quality < current.quality { continue }
        if offer.quality == current.quality, current.isNamed || !offer.isNamed { continue }
      }
      best = (format, offer.quality, offer.isNamed)
    }
    return best?.format ?? .prometheusText
  }
}

/// One member of an `Accept` header.
private struct MediaRange {
  let type: String
  var quality = 1.0
  var version: String?

  init?(_ text: Substring) {
    let parts = text.split(separator: ";").map { String($0.filter { !$0.isWhitespace }).lowercased() }
    guard let type = parts.first, !type.isEmpty else { return nil }
    self.type = type
    for parameter in parts.dropFirst() {
      if parameter.hasPrefix("q=") {
        guard let value = Double(parameter.dropFirst(2)), (0...1).contains(value) else { return nil }
        quality = value
      } else if parameter.hasPrefix("version=") {
        version = parameter.dropFirst(8).filter { $0 != "\"" }
      }
    }
  }

  var isNamed: Bool { !type.hasSuffix("*") }

  var format: ExpositionFormat? {
    switch type {
    case "application/openmetrics-text": version == nil || version == "1.0.0" ? .openMetrics : nil
    case "text/plain", "text/*", "*/*": .prometheusText
    default: nil
    }
  }
}
