import Testing

@testable import Telemetry

@Suite struct CounterTests {
  @Test func ordinalsAreTheCasesPlaces() {
    #expect(ReceiverKind.allCases.map(\.ordinal) == Array(ReceiverKind.allCases.indices))
    #expect(Outcome.allCases.map(\.ordinal) == Array(Outcome.allCases.indices))
    #expect(HeldStage.allCases.map(\.ordinal) == Array(HeldStage.allCases.indices))
    #expect(RefusalReason.allCases.map(\.ordinal) == Array(RefusalReason.allCases.indices))
  }

  @Test func ledgerShowsEveryLabelFromTheStart() {
    let text = Exposition.text(SpanLedger().families(), format: .prometheusText)
    let expected = [
      ("longspan_received_spans_total", "receiver", ReceiverKind.allCases.map(\.rawValue)),
      ("longspan_outcome_spans_total", "outcome", Outcome.allCases.map(\.rawValue)),
      ("longspan_held_spans", "stage", HeldStage.allCases.map(\.rawValue)),
      ("longspan_refused_requests_total", "reason", RefusalReason.allCases.map(\.rawValue)),
    ]
    for (name, label, values) in expected {
      for value in values { #expect(text.contains("\n\(name){\(label)=\"\(value)\"} 0\n")) }
    }
    #expect(text.contains("# TYPE longspan_held_spans gauge\n"))
    #expect(text.contains("# TYPE longspan_received_spans_total counter\n"))
  }

  @Test func ledgerBooksAndMoves() {
    let ledger = SpanLedger()
    ledger.received(10, by: .otlpHTTP)
    ledger.held(10, in: .batch)
    ledger.moved(4, from: .batch, to: .queue)
    ledger.held(-1, in: .queue)
    ledger.left(1, as: .forwarded)
    ledger.refusedRequest(.tooLarge)
    #expect(ledger.held(.batch) == 6)
    #expect(ledger.held(.queue) == 3)
    #expect(ledger.received(.otlpHTTP) == 10)
    #expect(ledger.received(.otlpGRPC) == 0)
    #expect(ledger.left(.forwarded) == 1)
    #expect(ledger.refusedRequests(.tooLarge) == 1)
    #expect(ledger.refusedRequests(.malformed) == 0)
  }

  @Test func cappedLabelsTakeAsManyAsTheCap() {
    var labels = CappedLabels(cap: 2)
    #expect(labels.admit("a") == "a")
    #expect(labels.admit("b") == "b")
    #expect(labels.overflowCount == 0)
    #expect(labels.admit("c") == "__overflow__")
    #expect(labels.admit("a") == "a")
    #expect(labels.count == 2)
    #expect(labels.overflowCount == 1)
  }

  @Test func cappedLabelsTakeValuesUpToTheirLength() {
    var labels = CappedLabels(cap: 10)
    let longest = String(repeating: "x", count: CappedLabels.valueBytesMax)
    #expect(labels.admit(longest) == longest)
    #expect(labels.admit(longest + "x") == CappedLabels.overflow)
    #expect(labels.count == 1)
  }

  @Test func labelledCounterCountsUpToItsCap() {
    let counter = LabelledCounter(
      "c_total", help: "C.", labelNames: ["exporter", "code"], cap: 2, present: [["otlp", "0"]])
    counter.add(2, ["otlp", "14"])
    counter.add(1, ["other", "14"])
    counter.add(1, ["third", "14"])
    counter.add(5, ["otlp", "14"])
    #expect(counter.value(["otlp", "14"]) == 7)
    #expect(counter.value(["other", "14"]) == 0)
    #expect(
      Exposition.text([counter.family()], format: .prometheusText) == """
        # HELP c_total C.
        # TYPE c_total counter
        c_total{exporter="__overflow__",code="__overflow__"} 2
        c_total{exporter="otlp",code="0"} 0
        c_total{exporter="otlp",code="14"} 7

        """)
  }

  @Test func atomicCounterAdds() {
    let counter = AtomicCounter()
    counter.add()
    counter.add(4)
    #expect(counter.value == 5)
    let text = Exposition.text([counter.family("x_total", help: "X.")], format: .prometheusText)
    #expect(text == "# HELP x_total X.\n# TYPE x_total counter\nx_total 5\n")
  }
}
