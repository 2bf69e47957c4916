/// The requests of one seed: deterministic, all different, cheap to make.
public struct Traffic: Sendable {
  private let templates: [[RequestTemplate]]
  private let tracesPerGroup: UInt64
  private let seed: UInt64

  /// Spans of all templates, which take turns: texts that come again do so further apart than what is compressed as one.
  private static let preparedSpans = 6400
  /// When the first request's spans began: nanoseconds since 1970.
  private static let epoch: UInt64 = 1_790_000_000_000_000_000

  /// Prepares the requests of a layout.
  public init(_ layout: TrafficLayout, spansPerRequest: Int = 100, seed: UInt64 = 1) {
    let (plans, traces) = layout.requests(spanCount: max(spansPerRequest, 1))
    tracesPerGroup = UInt64(traces)
    self.seed = Scatter.word(seed)
    templates = (0..<max(4, Self.preparedSpans / max(spansPerRequest, 1) / plans.count)).map { number in
      var writer = TemplateWriter(seed: seed &+ UInt64(number) &* Scatter.golden)
      return plans.map { RequestTemplate(writer.request($0)) }
    }
  }

  /// How many requests share their traces; a request's number modulo this says which part of them it has.
  public var partCount: Int { templates[0].count }

  /// Spans of a request.
  public func spanCount(_ number: Int) -> Int { template(number).spanCount }

  /// The request of a number from 0 on: an encoded `ExportTraceServiceRequest`.
  public func request(_ number: Int) -> [UInt8] {
    let group = UInt64(truncatingIfNeeded: number / partCount)
    return template(number).filled(
      firstTrace: seed &+ group &* tracesPerGroup, at: Self.epoch &+ group &* 1_000_000)
  }

  private func template(_ number: Int) -> RequestTemplate {
    templates[number / partCount % templates.count][number % partCount]
  }
}
