internal import Foundation

/// A configuration without errors, and what its author may want to know.
public struct LoadedConfiguration<Configuration: Sendable>: Sendable {
  public var configuration: Configuration
  public var warnings: [ConfigurationIssue]
}

/// A file that cannot be read.
public struct ConfigurationFileError: Error, Sendable {
  /// Why, in few words.
  public var reason: String

  /// A reason.
  public init(reason: String) { self.reason = reason }
}

/// Reads, merges, expands and checks configuration files: YAML text -> tree with lines -> one tree -> settings -> values.
/// Nothing stops at the first error: what is thrown holds all of them.
public struct ConfigurationLoader: Sendable {
  /// The value of an environment variable.
  public typealias Environment = @Sendable (String) -> String?
  /// The bytes of a file.
  public typealias ReadFile = @Sendable (String) throws(ConfigurationFileError) -> [UInt8]

  private let environment: Environment
  private let readFile: ReadFile

  /// A loader with these eyes on the world; the defaults are the process's.
  public init(
    environment: @escaping Environment = ConfigurationLoader.processEnvironment,
    readFile: @escaping ReadFile = ConfigurationLoader.readSystemFile
  ) {
    self.environment = environment
    self.readFile = readFile
  }

  /// Loads a relay's configuration; of two files that say different things the later one holds.
  public func relay(
    files: [String]
  ) throws(ConfigurationErrors) -> LoadedConfiguration<RelayConfiguration> {
    try load(files, RelayConfiguration.read)
  }

  /// Loads an aggregator's configuration.
  public func aggregator(
    files: [String]
  ) throws(ConfigurationErrors) -> LoadedConfiguration<AggregatorConfiguration> {
    try load(files, AggregatorConfiguration.read)
  }

  private func load<Configuration>(
    _ files: [String], _ read: (SectionReader) -> Configuration?
  ) throws(ConfigurationErrors) -> LoadedConfiguration<Configuration> {
    precondition(!files.isEmpty, "there is at least one file")
    let log = IssueLog()
    var root: ConfigurationNode?
    var isWhole = true
    for (index, file) in files.enumerated() {
      guard let node = tree(of: file, index: index, log) else {
        isWhole = false
        continue
      }
      root = root?.merged(with: node) ?? node
    }
    // Without one of the files, what seems missing or wrong may not be so.
    guard isWhole, let root else { throw ConfigurationErrors(issues: log.issues) }
    let expanded = root.expanded("", EnvironmentExpansion(environment: environment), log)
    let configuration = Setting(node: expanded, path: "", log: log).section(read)
    guard log.issues.isEmpty, let configuration else { throw ConfigurationErrors(issues: log.issues) }
    return LoadedConfiguration(configuration: configuration, warnings: log.warnings)
  }

  private func tree(of file: String, index: Int, _ log: IssueLog) -> ConfigurationNode? {
    do {
      let bytes = try readFile(file)
      var yaml = YAMLFile(name: file, index: index, log: log)
      return yaml.read(bytes)
    } catch {
      log.unreadable(file: file, index: index, "cannot be read: \(error.reason)")
      return nil
    }
  }
}

extension ConfigurationLoader {
  /// A configuration is never larger.
  static let fileBytesMax = 16 << 20

  /// Looks a variable up in the process's environment.
  public static func processEnvironment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// Reads a file of this machine.
  public static func readSystemFile(_ path: String) throws(ConfigurationFileError) -> [UInt8] {
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      let data = try handle.read(upToCount: fileBytesMax + 1) ?? Data()
      if data.count > fileBytesMax { throw ConfigurationFileError(reason: "it is larger than 16 MiB") }
      return Array(data)
    } catch let error as ConfigurationFileError {
      throw error
    } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
      throw ConfigurationFileError(reason: "there is no such file")
    } catch CocoaError.fileReadNoPermission {
      throw ConfigurationFileError(reason: "permission denied")
    } catch {
      throw ConfigurationFileError(reason: error.localizedDescription)
    }
  }
}
