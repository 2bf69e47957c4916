import ArgumentParser

/// The tools to measure and to break Longspan with.
@main
struct Loadtest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "longspan-loadtest", abstract: "Tools to measure Longspan with, and to break the links it runs over.",
    subcommands: [Generate.self, Sink.self, Proxy.self])
}
