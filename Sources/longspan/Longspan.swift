import ArgumentParser
import Gateway

/// The command line: arguments to roles, results to exit codes.
@main
struct Longspan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "longspan",
    abstract: "Cross-region trace federation: relays sample by route, an aggregator stitches and counts flows.",
    version: "longspan \(LongspanVersion.text)",
    subcommands: [Relay.self, Aggregator.self, Validate.self, Demo.self])

  /// Reached without a command, which is wrong usage.
  func run() async throws { throw ValidationError("Give a command: relay, aggregator, validate or demo.") }
}

struct ConfigurationFiles: ParsableArguments {
  @Option(name: .customLong("config"), help: "A configuration file; several are merged, later ones win.")
  var files: [String] = []

  func validate() throws {
    if files.isEmpty { throw ValidationError("Give at least one --config FILE.") }
  }
}

struct Relay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run an edge relay.")
  @OptionGroup var configurationFiles: ConfigurationFiles

  func run() async throws { try await finish(Gateway.runRelay(files: configurationFiles.files)) }
}

struct Aggregator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the global aggregator.")
  @OptionGroup var configurationFiles: ConfigurationFiles

  func run() async throws { try await finish(Gateway.runAggregator(files: configurationFiles.files)) }
}

struct Validate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check configuration files and list every error.")
  @Option(help: "The role the files are for: relay or aggregator.", transform: Validate.role)
  var role: Role
  @OptionGroup var configurationFiles: ConfigurationFiles

  private static func role(_ name: String) throws -> Role {
    guard let role = Role(rawValue: name) else { throw ValidationError("--role is relay or aggregator.") }
    return role
  }

  func run() async throws { try finish(Gateway.validate(role, files: configurationFiles.files)) }
}

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run three relays, an aggregator and a workload in this process, with real TLS.")
  @Option(help: "Seconds to run; 0 runs until Ctrl-C.")
  var duration = 30
  @Option(help: "Seed of the workload; the same seed makes the same traffic.")
  var seed: UInt64 = 1

  func validate() throws {
    if duration < 0 { throw ValidationError("--duration is 0 or more.") }
  }

  func run() async throws { try await finish(Gateway.runDemo(seconds: duration, seed: seed)) }
}

/// Ends the process with the code a role came to.
private func finish(_ code: LongspanExitCode) throws {
  if code != .done { throw ExitCode(code.rawValue) }
}
