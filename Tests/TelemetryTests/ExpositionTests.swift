import Telemetry
import Testing

@Suite struct ExpositionTests {
  private func histogram() -> Histogram {
    var histogram = Histogram(upperBounds: [0.005, 1, 2.5])
    histogram.observe(0.001, weight: 2)
    histogram.observe(1, weight: 1)
    histogram.observe(7, weight: 10)
    return histogram
  }

  private func families() -> [MetricFamily] {
    [
      MetricFamily(
        "requests_total", .counter, help: "Requests.",
        samples: [
          MetricSample([(name: "code", value: "b")], 2), MetricSample([(name: "code", value: "a")], 0.5),
        ]),
      MetricFamily("duration_seconds", .histogram, help: "How long.", samples: [MetricSample(histogram: histogram())]),
      MetricFamily("trace_count", .gauge, help: "Crossings.", samples: []),
    ]
  }

  @Test func writesPrometheusText() {
    let expected = """
      # HELP duration_seconds How long.
      # TYPE duration_seconds histogram
      duration_seconds_bucket{le="0.005"} 2
      duration_seconds_bucket{le="1"} 3
      duration_seconds_bucket{le="2.5"} 3
      duration_seconds_bucket{le="+Inf"} 13
      duration_seconds_sum 71.002
      duration_seconds_count 13
      # HELP requests_total Requests.
      # TYPE requests_total counter
      requests_total{code="a"} 0.5
      requests_total{code="b"} 2
      # HELP trace_count Crossings.
      # TYPE trace_count untyped

      """
    #expect(Exposition.text(families(), format: .prometheusText) == expected)
  }

  @Test func writesOpenMetrics() {
    let expected = """
      # HELP duration_seconds How long.
      # TYPE duration_seconds histogram
      duration_seconds_bucket{le="0.005"} 2
      duration_seconds_bucket{le="1.0"} 3
      duration_seconds_bucket{le="2.5"} 3
      duration_seconds_bucket{le="+Inf"} 13
      duration_seconds_sum 71.002
      duration_seconds_count 13
      # HELP requests Requests.
      # TYPE requests counter
      requests_total{code="a"} 0.5
      requests_total{code="b"} 2
      # HELP trace_count Crossings.
      # TYPE trace_count gauge
      # EOF

      """
    #expect(Exposition.text(families(), format: .openMetrics) == expected)
  }

  @Test func weightedCountsAreWholeInOpenMetrics() {
    var histogram = Histogram(upperBounds: [1, 2])
    histogram.observe(1, weight: 1.4)
    histogram.observe(2, weight: 1.4)
    let family = MetricFamily("h", .histogram, help: "H.", samples: [MetricSample(histogram: histogram)])
    #expect(
      Exposition.text([family], format: .openMetrics).hasSuffix(
        """
        h_bucket{le="1.0"} 1
        h_bucket{le="2.0"} 3
        h_bucket{le="+Inf"} 3
        h_sum 4.199999999999999
        h_count 3
        # EOF

        """))
    #expect(Exposition.text([family], format: .prometheusText).hasSuffix("h_count 2.8\n"))
  }

  @Test func emptyExpositionEndsProperly() {
    #expect(Exposition.text([], format: .prometheusText) == "")
    #expect(Exposition.text([], format: .openMetrics) == "# EOF\n")
  }

  @Test func escapesLabelValuesAndHelp() {
    let family = MetricFamily(
      "a", .gauge, help: "back\\slash \"quote\"\nline",
      samples: [MetricSample([(name: "l", value: "back\\slash \"quote\"\nline\0é")], 1)])
    #expect(
      Exposition.text([family], format: .prometheusText) == """
        # HELP a back\\\\slash "quote"\\nline
        # TYPE a gauge
        a{l="back\\\\slash \\"quote\\"\\nline\u{FFFD}é"} 1

        """)
    #expect(Exposition.text([family], format: .openMetrics).contains("# HELP a back\\\\slash \\\"quote\\\"\\nline\n"))
  }

  @Test(arguments: [
    (0, "0"), (-0.0, "0"), (3, "3"), (-7, "-7"), (0.1, "0.1"), (1e-7, "1e-07"), (1_000_000, "1000000"),
    (9_007_199_254_740_992, "9007199254740992"), (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    (.nan, "NaN"), (2.0 / 3, "0.6666666666666666"),
  ])
  func writesNumbers(number: Double, text: String) {
    let family = MetricFamily("a", .gauge, help: "", samples: [MetricSample([], number)])
    #expect(Exposition.text([family], format: .prometheusText).hasSuffix("\na \(text)\n"))
  }

  @Test func mergesFamiliesOfOneNameAndAddsUpEqualSeries() {
    let part = MetricFamily(
      "h", .histogram, help: "H", samples: [MetricSample([(name: "r", value: "x")], histogram: histogram())])
    let number = MetricFamily("n", .gauge, help: "N", samples: [MetricSample([(name: "r", value: "x")], 2)])
    let other = MetricFamily("n", .gauge, help: "N", samples: [MetricSample([(name: "r", value: "w")], 1)])
    let text = Exposition.text([part, number, other, part, number], format: .prometheusText)
    #expect(text.contains("h_count{r=\"x\"} 26\n"))
    #expect(text.hasSuffix("# TYPE n gauge\nn{r=\"w\"} 1\nn{r=\"x\"} 4\n"))
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }.count == 2)
  }

  @Test func contentTypes() {
    #expect(ExpositionFormat.prometheusText.contentType == "text/plain; version=0.0.4; charset=utf-8")
    #expect(
      ExpositionFormat.openMetrics.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
  }

  @Test(
    arguments: [
      (nil, .prometheusText),
      ("", .prometheusText),
      ("*/*", .prometheusText),
      ("text/html", .prometheusText),
      ("application/openmetrics-text", .openMetrics),
      ("application/openmetrics-text; version=1.0.0", .openMetrics),
      ("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", .openMetrics),
      ("application/openmetrics-text; version=2.0.0", .prometheusText),
      ("APPLICATION/OpenMetrics-Text;Q=0.5, text/plain;q=0.4", .openMetrics),
      ("application/openmetrics-text;q=0.4, text/plain;q=0.5", .prometheusText),
      ("application/openmetrics-text;q=0, */*;q=0.1", .prometheusText),
      ("*/*, application/openmetrics-text", .openMetrics),
      ("text/plain, application/openmetrics-text", .prometheusText),
      ("application/openmetrics-text;q=nonsense", .prometheusText),
      // What Prometheus 2 and 3 send.
      (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics
      ),
      (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        .openMetrics
      ),
    ] as [(String?, ExpositionFormat)])
  func negotiates(accept: String?, format: ExpositionFormat) {
    #expect(ExpositionFormat.negotiate(accept: accept) == format)
  }

  /// Names that look alike once they are written are one series: a reader would refuse the second.
  @Test func namesThatLookAlikeAreOneSeries() {
    let family = MetricFamily(
      "a", .counter, help: "h",
      samples: ["x\0", "x\u{FFFD}", "x"].map { MetricSample([(name: "l", value: $0)], 1) })
    #expect(
      Exposition.text([family], format: .prometheusText).hasSuffix("\na{l=\"x\"} 1\na{l=\"x\u{FFFD}\"} 2\n"))
  }
}
