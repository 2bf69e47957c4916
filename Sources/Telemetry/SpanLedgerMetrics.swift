extension SpanLedger {
  /// The accounting metrics; every label value is there from the start, at 0, so that a rate has a first point.
  public func families() -> [MetricFamily] {
    [
      Self.family(
        "longspan_received_spans_total", .counter, "receiver",
        help: "Spans of readable requests, refused ones included."
      ) { received($0 as ReceiverKind) },
      Self.family(
        "longspan_outcome_spans_total", .counter, "outcome", help: "Spans that left, by how they left."
      ) { left($0 as Outcome) },
      Self.family(
        "longspan_held_spans", .gauge, "stage", help: "Spans held now, by where they are held."
      ) { held($0 as HeldStage) },
      Self.family(
        "longspan_refused_requests_total", .counter, "reason", help: "Whole requests refused, by reason."
      ) { refusedRequests($0 as RefusalReason) },
    ]
  }

  private static func family<Key: CaseIterable & RawRepresentable>(
    _ name: String, _ kind: MetricFamily.Kind, _ label: String, help: String, _ value: (Key) -> Int
  ) -> MetricFamily where Key.RawValue == String {
    let samples = Key.allCases.map { MetricSample([(name: label, value: $0.rawValue)], Double(value($0))) }
    return MetricFamily(name, kind, help: help, samples: samples)
  }
}
