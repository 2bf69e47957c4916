import Gateway
import Testing

/// Loads configuration from texts instead of files.
struct ConfigurationFixture {
  var environment: [String: String] = [:]

  private func loader(_ texts: [String]) -> (loader: ConfigurationLoader, files: [String]) {
    let names = texts.indices.map { $0 == 0 ? "a.yaml" : "\($0 + 1).yaml" }
    let contents = Dictionary(uniqueKeysWithValues: zip(names, texts))
    let environment = environment
    let loader = ConfigurationLoader(environment: { environment[$0] }) { name throws(ConfigurationFileError) in
      guard let text = contents[name] else { throw ConfigurationFileError(reason: "there is no such file") }
      return Array(text.utf8)
    }
    return (loader, names)
  }

  func relay(_ texts: String...) throws -> LoadedConfiguration<RelayConfiguration> {
    let (loader, files) = loader(texts)
    return try loader.relay(files: files)
  }

  func aggregator(_ texts: String...) throws -> LoadedConfiguration<AggregatorConfiguration> {
    let (loader, files) = loader(texts)
    return try loader.aggregator(files: files)
  }

  /// What is wrong with a relay's configuration, a line each.
  func relayErrors(_ texts: String...) -> [String] {
    let (loader, files) = loader(texts)
    return errors { () throws(ConfigurationErrors) in _ = try loader.relay(files: files) }
  }

  /// What is wrong with an aggregator's configuration, a line each.
  func aggregatorErrors(_ texts: String...) -> [String] {
    let (loader, files) = loader(texts)
    return errors { () throws(ConfigurationErrors) in _ = try loader.aggregator(files: files) }
  }

  private func errors(_ load: () throws(ConfigurationErrors) -> Void) -> [String] {
    do {
      try load()
      return []
    } catch {
      return error.issues.map(\.description)
    }
  }
}

/// The least that a relay needs, on two lines; what a test adds begins on line 3.
let leastRelay = "region: us-east-1\nexporters: {otlp: {endpoint: \"aggregator:4317\"}}\n"
