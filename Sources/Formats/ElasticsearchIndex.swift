/// Where spans go in Elasticsearch or OpenSearch: a data stream, or an index, with the day or month of a span's start
/// at the end of its name if wanted.
public struct ElasticsearchIndex: Hashable, Sendable {
  /// What is appended to an index's name; times are UTC.
  public enum DateSuffix: String, Sendable, CaseIterable {
    case none
    /// `-2026.11.21`, as Logstash has it.
    case day
    /// `-2026.11`.
    case month
  }

  /// The name, without the date.
  public let name: String
  public let dateSuffix: DateSuffix
  /// The parts of a data stream's name; `nil` where the name is just a name.
  let dataset: String?
  let namespace: String?

  /// Longest name in bytes (Elasticsearch, "Create index", path parameters), the date included.
  private static let nameBytesMax = 255

  /// An index, a data stream or an alias of this name; `nil` where Elasticsearch has no such names: capitals, one of
  /// `\ / * ? " < > | , # :` or a space, `-`, `_` or `+` in front, or too long.
  public init?(name: String, dateSuffix: DateSuffix = .none) {
    guard Self.isValid(name) else { return nil }
    self.name = name
    self.dateSuffix = dateSuffix
    dataset = nil
    namespace = nil
  }

  /// The data stream `traces-DATASET-NAMESPACE`, whose documents name their stream; `nil` where a part is empty, has a
  /// `-`, or is no part of a name.
  public init?(dataset: String, namespace: String) {
    let name = "traces-\(dataset)-\(namespace)"
    guard Self.isValid(name), ![dataset, namespace].contains(where: { $0.isEmpty || $0.contains("-") }) else {
      return nil
    }
    self.name = name
    dateSuffix = .none
    self.dataset = dataset
    self.namespace = namespace
  }

  private static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    guard let first = bytes.first, bytes.count <= nameBytesMax - 11, !"-_+.".utf8.contains(first) else { return false }
    return bytes.allSatisfy {
      $0 > 0x20 && !(0x41...0x5a).contains($0) && $0 != 0x7f && !"\\/*?\"<>|,#:".utf8.contains($0)
    }
  }
}
