import Foundation
import TestKit
import Testing

/// What `/metrics` said once: values by series as written.
struct Scrape: Sendable {
  let text: String
  private(set) var values: [String: Double] = [:]

  init(_ text: String) {
    self.text = text
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
      values[String(line[..<space])] = value
    }
  }

  /// The value of a series, 0 where it is absent.
  subscript(series: String) -> Double { values[series] ?? 0 }

  /// The sum over all series of a metric whose labels hold all of these texts.
  func sum(_ metric: String, _ labels: String...) -> Double {
    values.filter { series, _ in
      (series == metric || series.hasPrefix(metric + "{")) && labels.allSatisfy { series.contains($0) }
    }.values.reduce(0, +)
  }

  /// The samples of a metric by their labels, `name=value` in alphabetical order with commas between.
  func samples(_ metric: String) -> [String: Double] {
    var found: [String: Double] = [:]
    for (series, value) in values where series == metric || series.hasPrefix(metric + "{") {
      let labels = series.dropFirst(metric.count + 1).dropLast().replacing("\"", with: "")
      found[labels.split(separator: ",").sorted().joined(separator: ",")] = value
    }
    return found
  }

  var received: Double { sum("longspan_received_spans_total") }
  var outcomes: Double { sum("longspan_outcome_spans_total") }
  var held: Double { sum("longspan_held_spans") }
  func outcome(_ name: String) -> Double { self["longspan_outcome_spans_total{outcome=\"\(name)\"}"] }
  func refused(_ reason: String) -> Double { self["longspan_refused_requests_total{reason=\"\(reason)\"}"] }

  /// The identity of the contract: what was received has left or is held.
  func expectBalanced(_ location: SourceLocation = #_sourceLocation) {
    #expect(
      received == outcomes + held, "received \(received), outcomes \(outcomes), held \(held)", sourceLocation: location)
  }
}

extension LongspanProcess {
  /// What the process says of itself now.
  func scrape() async throws -> Scrape {
    let result = try await Command.run("curl", ["-sS", "--fail", "http://\(try await address("admin"))/metrics"])
    #expect(result.status == 0, "\(result.errors)")
    return Scrape(result.text)
  }

  /// Scrapes until the condition holds; fails the test after so many scrapes that only a defect can need them.
  func scrape(
    until condition: (Scrape) -> Bool, _ what: String, location: SourceLocation = #_sourceLocation
  ) async throws -> Scrape {
    var last = try await scrape()
    for _ in Attempts() {
      if condition(last) { return last }
      last = try await scrape()
    }
    Issue.record("never came true: \(what)\n\(last.text)\n\(logText)", sourceLocation: location)
    return last
  }

  /// Scrapes until everything that was received has left. The numbers of one scrape are not read at one instant: that
  /// nothing is held does not say that what left was counted when the outcomes were read.
  func scrapeAtRest(location: SourceLocation = #_sourceLocation) async throws -> Scrape {
    try await scrape(until: { $0.held == 0 && $0.received == $0.outcomes }, "nothing is held", location: location)
  }
}
