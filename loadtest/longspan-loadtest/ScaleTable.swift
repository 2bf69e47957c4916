import ArgumentParser
import Foundation
import Scale

/// The sizes of deployments as a program.
struct ScaleTable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale", abstract: "Says how many relays and aggregator shards a load needs.",
    discussion: """
      Simulates traffic on what a span was measured to cost, and looks for the smallest numbers with which nothing \
      waits too long. The same seed gives the same table. What the deployment is like is changed by name, as in \
      `scale kept=0.1 burstiness=0.5`; loadtest/Scale/Deployment.swift says what there is.
      """)

  @Option(help: "What was measured: a JSON file.") var costs = "loadtest/costs.json"
  @Option(help: "Spans a second that applications send, instead of 1, 10 and 100 million.") var rate: [Double] = []
  @Flag(help: "Aggregators that export, that only count, or a row for each.") var aggregators = Aggregators.all
  @Flag(help: "One JSON array instead of the table.") var json = false
  @Argument(help: "NAME=NUMBER.") var changes: [String] = []

  enum Aggregators: EnumerableFlag {
    case all, exporting, counting
  }

  func validate() throws {
    if let complaint = try deployments.lazy.compactMap(\.complaint).first { throw ValidationError(complaint) }
  }

  func run() async throws {
    let costs = try JSONDecoder().decode(Costs.self, from: Data(contentsOf: URL(filePath: costs)))
    let deployments = try deployments
    let rows = try await withThrowingTaskGroup(of: (Int, ScaleRow).self) { tasks in
      for (index, deployment) in deployments.enumerated() {
        tasks.addTask { (index, try Sizing(deployment, costs).run()) }
      }
      return try await tasks.reduce(into: [:]) { rows, row in rows[row.0] = row.1 }
    }.sorted { $0.key < $1.key }.map(\.value)
    guard json else { return OutputLines.say(([ScaleRow.head] + rows.map(\.line)).joined(separator: "\n")) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    OutputLines.say(String(decoding: try encoder.encode(rows), as: UTF8.self))
  }

  private var deployments: [Deployment] {
    get throws {
      let usual = try changed()
      return (rate.isEmpty ? [1e6, 10e6, 100e6] : rate).flatMap { rate in
        (aggregators == .all ? [false, true] : [aggregators == .exporting]).map { exports in
          var deployment = usual
          (deployment.spansPerSecond, deployment.exports) = (rate, exports)
          return deployment
        }
      }
    }
  }

  /// The usual deployment with what is named otherwise.
  private func changed() throws -> Deployment {
    let usual = try JSONEncoder().encode(Deployment())
    guard var fields = try JSONSerialization.jsonObject(with: usual) as? [String: Any] else { return Deployment() }
    // These two have options of their own.
    let names = Set(fields.keys).subtracting(["spansPerSecond", "exports"])
    for change in changes {
      let parts = change.split(separator: "=").map(String.init)
      guard parts.count == 2, names.contains(parts[0]), let number = Double(parts[1]), number.isFinite else {
        throw ValidationError("\(change) is no NAME=NUMBER of: \(names.sorted().joined(separator: ", "))")
      }
      fields[parts[0]] = number
    }
    do {
      return try JSONDecoder().decode(Deployment.self, from: JSONSerialization.data(withJSONObject: fields))
    } catch {
      throw ValidationError("counts are whole numbers: \(changes.joined(separator: " "))")
    }
  }
}
