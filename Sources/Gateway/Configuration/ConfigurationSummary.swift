internal import Foundation
internal import LinearRegex
internal import Policy

/// A configuration as `/status` shows it: the values in force, defaults included, secrets as `***`. Files are shown by
/// their paths; nothing is read from them.
public enum ConfigurationSummary: Sendable, Equatable, Encodable {
  case none
  case text(String)
  case number(Double)
  case flag(Bool)
  case list([ConfigurationSummary])
  case object([String: ConfigurationSummary])

  /// Looks at a configuration value and what is in it.
  init(_ value: Any) {
    switch value {
    case let pattern as Pattern: self = .text(pattern.source)
    case is HashKey: self = .text("***")
    case let secret as Secret: self = .text(secret.description)
    case let duration as Duration: self = .text(DurationText(duration).description)
    case let text as String: self = .text(text)
    case let flag as Bool: self = .flag(flag)
    case let number as Int: self = .number(Double(number))
    case let number as Int64: self = .number(Double(number))
    case let number as Double: self = .number(number)
    case let word as any RawRepresentable<String>: self = .text(word.rawValue)
    default: self = Self.structure(Mirror(reflecting: value))
    }
  }

  private static func structure(_ mirror: Mirror) -> ConfigurationSummary {
    switch mirror.displayStyle {
    // An enumeration with a payload is shown as its payload.
    case .optional, .enum: mirror.children.first.map { ConfigurationSummary($0.value) } ?? .none
    case .collection: .list(mirror.children.map { ConfigurationSummary($0.value) })
    default:
      .object(
        Dictionary(mirror.children.map { (snakeCase($0.label ?? ""), ConfigurationSummary($0.value)) }) { $1 })
    }
  }

  /// `idleTimeout` as `idle_timeout`, `linkTTL` as `link_ttl`.
  private static func snakeCase(_ name: String) -> String {
    var result = ""
    var wasUpper = true
    for character in name {
      if character.isUppercase, !wasUpper { result += "_" }
      wasUpper = character.isUppercase
      result += character.lowercased()
    }
    return result
  }

  /// Writes it as the document that `/status` shows.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .none: try container.encodeNil()
    case .text(let text): try container.encode(text)
    case .number(let number):
      if let whole = Int64(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
    case .flag(let flag): try container.encode(flag)
    case .list(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }

  /// It as JSON with sorted names.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension RelayConfiguration {
  /// The configuration in force, without secrets.
  public var summary: ConfigurationSummary { ConfigurationSummary(self) }
}

extension AggregatorConfiguration {
  /// The configuration in force, without secrets.
  public var summary: ConfigurationSummary { ConfigurationSummary(self) }
}
