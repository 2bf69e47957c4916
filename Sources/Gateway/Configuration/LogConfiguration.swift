public import Logging
public import Telemetry

/// What is logged, and how.
public struct LogConfiguration: Sendable, Equatable {
  public var level = Logger.Level.info
  public var format = LogFormat.text

  /// The defaults.
  public init() {}
}

extension LogConfiguration {
  static func read(_ section: SectionReader) -> LogConfiguration? {
    var value = LogConfiguration()
    let allowed = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    // The Collector says "warn" and takes capital letters.
    let level: Logger.Level? = section["level"]?.scalar("one of \(allowed)") { scalar in
      let name = scalar.text.lowercased()
      return Logger.Level(rawValue: name == "warn" ? "warning" : name)
    }
    value.level = level ?? value.level
    value.format = section["format"]?.choice(LogFormat.self) ?? value.format
    return value
  }
}

/// The settings that both roles have.
struct ProcessConfiguration {
  var admin = ListenerConfiguration(port: 8888)
  var log = LogConfiguration()
  var shutdownTimeout: Duration = .seconds(10)

  /// Read before the receivers: where one of them has the admin endpoint, the complaint is about the receiver, also
  /// where the admin endpoint is the default.
  static func read(_ section: SectionReader) -> ProcessConfiguration {
    var value = ProcessConfiguration()
    if let admin = section.namedSection("admin", ListenerConfiguration.admin) {
      value.admin = admin
    } else {
      _ = section.own.log.claim(listener: value.admin.host, value.admin.port, by: "admin")
    }
    value.log = section.section("log", LogConfiguration.read) ?? value.log
    value.shutdownTimeout = section["shutdown_timeout"]?.duration() ?? value.shutdownTimeout
    return value
  }
}
