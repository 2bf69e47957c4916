/// What is to become of each span and each resource of a walked request: made by policy, carried out by `BatchWriter`.
/// Edited messages lie in `scratch`; everything else is copied byte for byte from the request.
public struct RewritePlan: Sendable {
  /// What becomes of one span.
  @frozen public enum SpanAction: Sendable {
    case drop
    case keep
    /// The span's message is replaced by these bytes of `scratch` (message only, without tag and length).
    case replace(ByteRange)
  }

  /// What becomes of one resource or scope.
  @frozen public enum ResourceAction: Sendable {
    case keep
    /// The message is replaced by these bytes of `scratch` (message only, without tag and length).
    case replace(ByteRange)
  }

  /// One for each of `RequestFacts.spans`.
  public var spans: [SpanAction] = []
  /// One for each of `RequestFacts.resources`.
  public var resources: [ResourceAction] = []
  /// One for each of `RequestFacts.scopes`: what becomes of the `InstrumentationScope`. Empty where all stay.
  public var scopes: [ResourceAction] = []
  /// Edited messages, one after the other.
  public var scratch: [UInt8] = []

  public init() {}

  /// Whether the request goes out as it came.
  public var changesNothing: Bool {
    func isKept(_ action: ResourceAction) -> Bool { if case .keep = action { true } else { false } }
    let keepsSpans = spans.allSatisfy { if case .keep = $0 { true } else { false } }
    return keepsSpans && resources.allSatisfy(isKept) && scopes.allSatisfy(isKept)
  }

  /// Spans and bytes of a request whose room is kept for the next one.
  private static let spansKept = 1 << 14
  private static let bytesKept = 1 << 22

  /// Forgets the plan and gives back what an unusually large request has taken.
  public mutating func giveBackRoom() {
    if max(spans.capacity, resources.capacity) > Self.spansKept || scratch.capacity > Self.bytesKept {
      spans.giveBack()
      scratch.giveBack()
      self = RewritePlan()
    }
  }

  /// Keeps everything of a request with so many spans and resources as it came, and keeps the arrays' room.
  public mutating func reset(spans spanCount: Int, resources resourceCount: Int) {
    spans.fill(.keep, count: spanCount)
    resources.removeAll(keepingCapacity: true)
    scopes.removeAll(keepingCapacity: true)
    scratch.removeAll(keepingCapacity: true)
    resources.append(contentsOf: repeatElement(.keep, count: resourceCount))
  }
}
