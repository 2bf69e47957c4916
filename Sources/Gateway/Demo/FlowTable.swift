internal import Foundation

/// The demo's table: one line a region pair, none wider than a terminal of 80 columns with regions of usual names.
struct FlowTable {
  /// What one line shows.
  private struct Row {
    var cells: [String]
  }

  static let headings = ["from -> to", "calls/s", "error %", "p50", "p95", "p50", "p95", "est.", "true"]

  /// What stands above headings, and above how many.
  private static let groups = [("", 3), ("client ms", 2), ("network ms", 2), ("traces", 2)]

  private var rows: [Row] = []

  /// A table of what came in between two readings taken `seconds` apart; `truth` is what the workload really sent.
  init(_ now: FlowReading, since before: FlowReading, seconds: Double, truth: [RegionPair: Int]) {
    for pair in Set(now.flows.keys).union(truth.keys).sorted() {
      let flow = now.flows[pair] ?? FlowReading.Flow()
      let calls = flow.requests - (before.flows[pair]?.requests ?? 0)
      let errors = flow.requests > 0 ? 100 * flow.errors / flow.requests : 0
      rows.append(
        Row(cells: [
          "\(pair.source) -> \(pair.target)", Self.decimal(seconds > 0 ? calls / seconds : 0), Self.decimal(errors),
          Self.milliseconds(flow.client?.quantile(0.5)), Self.milliseconds(flow.client?.quantile(0.95)),
          Self.milliseconds(flow.network?.quantile(0.5)), Self.milliseconds(flow.network?.quantile(0.95)),
          String(format: "%.0f", flow.traces), String(truth[pair] ?? 0),
        ]))
    }
  }

  /// The lines, headings first, columns aligned.
  var lines: [String] {
    let all = [Self.headings] + rows.map(\.cells)
    let widths = Self.headings.indices.map { column in max(4, all.map { $0[column].count }.max() ?? 0) }
    var columns = widths[...]
    let groups = Self.groups.map { name, count in
      let width = columns.prefix(count).reduce(2 * (count - 1), +)
      columns = columns.dropFirst(count)
      return String(repeating: " ", count: max(0, width - name.count)) + name
    }
    let lines = all.map { cells in
      cells.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }
    return [groups.joined(separator: "  ")] + lines
  }

  private static func decimal(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func milliseconds(_ seconds: Double?) -> String {
    seconds.map { String(format: "%.0f", $0 * 1000) } ?? "-"
  }
}
