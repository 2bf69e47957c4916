import ArgumentParser

/// The tools to measure, to size and to break Longspan with.
@main
struct Loadtest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "longspan-loadtest",
    abstract: "Tools to measure and to size Longspan with, and to break the links it runs over.",
    subcommands: [Generate.self, Sink.self, Proxy.self, ScaleTable.self])
}
