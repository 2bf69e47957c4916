/// Writes what a scrape collected, as Prometheus text 0.0.4 or OpenMetrics 1.0.
///
/// Families of one name become one, in the order of their names; series with the same labels add up (event loops and
/// shards each bring their own part), in the order of their label values. So one state has one text.
public struct Exposition: ~Copyable {
  private let format: ExpositionFormat
  private var bytes: [UInt8] = []

  private init(_ format: ExpositionFormat) { self.format = format }

  /// The body of an answer to a scrape.
  public static func write(_ families: [MetricFamily], format: ExpositionFormat) -> [UInt8] {
    var text = Exposition(format)
    for family in merged(families) { text.append(family) }
    if format == .openMetrics { text.append("# EOF\n") }
    return text.bytes
  }

  /// The same as a string.
  public static func text(_ families: [MetricFamily], format: ExpositionFormat) -> String {
    String(decoding: write(families, format: format), as: UTF8.self)
  }

  private static func merged(_ families: [MetricFamily]) -> [MetricFamily] {
    var byName: [String: MetricFamily] = [:]
    for family in families {
      guard let known = byName[family.name] else {
        byName[family.name] = family
        continue
      }
      precondition(known.kind == family.kind, "one metric has one type")
      byName[family.name]?.samples.append(contentsOf: family.samples)
    }
    return byName.values.sorted { $0.name < $1.name }
  }

  private mutating func append(_ family: MetricFamily) {
    // OpenMetrics names a counter's family without the suffix that its sample must have.
    var name = family.name
    var sampleName = family.name
    if format == .openMetrics, family.kind == .counter {
      if name.hasSuffix("_total") { name.removeLast(6) } else { sampleName += "_total" }
    }
    append("# HELP \(name) ")
    appendEscaped(family.help, quotes: format == .openMetrics)
    append("\n# TYPE \(name) \(typeText(of: family))\n")
    for sample in Self.summed(family.samples) {
      switch sample.value {
      case .number(let number):
        precondition(family.kind != .histogram, "a histogram's series is a histogram")
        appendSeries(sampleName, sample.labels, bound: nil, metricNumber(number))
      case .histogram(let histogram):
        precondition(family.kind == .histogram, "only a histogram's series is a histogram")
        append(histogram, sampleName, sample.labels)
      }
    }
  }

  /// A gauge whose name ends as a histogram's series do (`trace_count`) goes out untyped in the older format: there
  /// `promtool check metrics` refuses such a name for every type but histogram, summary and untyped.
  private func typeText(of family: MetricFamily) -> String {
    let isReserved = ["_count", "_sum", "_bucket"].contains { family.name.hasSuffix($0) }
    return format == .prometheusText && family.kind == .gauge && isReserved ? "untyped" : family.kind.rawValue
  }

  /// The series in the order of their label values, those with the same labels added up.
  private static func summed(_ samples: [MetricSample]) -> [MetricSample] {
    let sorted = samples.map(shown).sorted { left, right in
      left.labels.lexicographicallyPrecedes(right.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
    }
    var result: [MetricSample] = []
    for sample in sorted {
      guard let last = result.last, last.labels.elementsEqual(sample.labels, by: ==) else {
        result.append(sample)
        continue
      }
      switch (last.value, sample.value) {
      case (.number(let left), .number(let right)):
        result[result.count - 1].value = .number(left + right)
      case (.histogram(var left), .histogram(let right)):
        left.merge(right)
        result[result.count - 1].value = .histogram(left)
      default:
        preconditionFailure("series of one metric have one type")
      }
    }
    return result
  }

  /// A series with its labels as they will be read: Prometheus' reader takes NUL for the end of its input, and one
  /// peer's region name would cost the whole scrape. Before adding up, or two names could come to look alike.
  private static func shown(_ sample: MetricSample) -> MetricSample {
    guard sample.labels.contains(where: { $0.value.utf8.contains(0) }) else { return sample }
    var shown = sample
    for index in shown.labels.indices {
      let scalars = shown.labels[index].value.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }
      shown.labels[index].value = String(String.UnicodeScalarView(scalars))
    }
    return shown
  }

  private mutating func append(_ histogram: Histogram, _ name: String, _ labels: [(name: String, value: String)]) {
    var cumulative = 0.0
    for (index, bound) in histogram.upperBounds.enumerated() {
      cumulative += histogram.counts[index]
      appendSeries(name + "_bucket", labels, bound: boundText(bound), countText(cumulative))
    }
    cumulative += histogram.counts[histogram.upperBounds.count]
    appendSeries(name + "_bucket", labels, bound: "+Inf", countText(cumulative))
    appendSeries(name + "_sum", labels, bound: nil, metricNumber(histogram.sum))
    appendSeries(name + "_count", labels, bound: nil, countText(cumulative))
  }

  /// OpenMetrics wants whole counts, which weighted observations do not have. What is rounded is the cumulative count,
  /// so the error stays below one however long it counts, and buckets still rise.
  private func countText(_ count: Double) -> String {
    metricNumber(format == .openMetrics ? count.rounded() : count)
  }

  /// OpenMetrics wants `le` as a float literal ("1.0"), the older format has it as any number ("1").
  private func boundText(_ bound: Double) -> String {
    format == .openMetrics ? "\(bound)" : metricNumber(bound)
  }

  private mutating func appendSeries(
    _ name: String, _ labels: [(name: String, value: String)], bound: String?, _ value: String
  ) {
    append(name)
    var separator = "{"
    for label in labels {
      append("\(separator)\(label.name)=\"")
      appendEscaped(label.value, quotes: true)
      append("\"")
      separator = ","
    }
    if let bound {
      append("\(separator)le=\"\(bound)\"")
      separator = ","
    }
    append(separator == "{" ? " " : "} ")
    append(value)
    append("\n")
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func appendEscaped(_ text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\"") where quotes: append("\\\"")
      default: bytes.append(byte)
      }
    }
  }
}

/// A sample's number: whole ones without a decimal point, others in the shortest form that reads back the same.
func metricNumber(_ value: Double) -> String {
  if value.isNaN { return "NaN" }
  if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
  if let whole = Int64(exactly: value), whole.magnitude <= 1 << 53 { return "\(whole)" }
  return "\(value)"
}
