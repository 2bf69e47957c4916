/// A number of bytes as people write it: `512`, `64KiB`, `1MiB`, `1GB`, `100Mbit`, `1Gbit`.
public struct ByteCount: Sendable, Hashable {
  public var bytes: Int

  private static let units: [String: Double] = [
    "": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824,
    "kbit": 125, "Mbit": 125e3, "Gbit": 125e6,
  ]

  /// Makes one.
  public init(bytes: Int) { self.bytes = bytes }

  /// Reads one; at least one byte.
  public init?(_ text: String) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    guard let value = Double(number), let unit = Self.units[String(text.dropFirst(number.count))] else { return nil }
    guard value * unit >= 1, let bytes = Int(exactly: (value * unit).rounded()) else { return nil }
    self.bytes = bytes
  }
}
