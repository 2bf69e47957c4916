/// Traces that closed together, and their spans as they are handed on: whole, each trace in one part.
///
/// What a request said of a resource stands once for all its spans in a part, however many traces they are of.
public struct Closing: Sendable {
  /// Traces of one tenant.
  public struct Part: Sendable {
    /// Whose they are, as a number; 0 for nobody's.
    public let tenant: UInt16
    /// In the order they closed.
    public internal(set) var traces: [ClosedTrace] = []
    /// Complete `resource_spans` fields, one after the other; an `ExportTraceServiceRequest` by itself. Empty where the
    /// shard keeps no bytes.
    public internal(set) var payload: [UInt8] = []
    public internal(set) var spanCount = 0

    init(tenant: UInt16) { self.tenant = tenant }
  }

  /// A part with so many spans takes no further trace: exporters send batches of about that many.
  static let partSpansMax = 512

  public internal(set) var parts: [Part] = []

  init() {}

  /// All of them, in the order they closed.
  public var traces: [ClosedTrace] { parts.flatMap(\.traces) }
  public var isEmpty: Bool { parts.isEmpty }
}
