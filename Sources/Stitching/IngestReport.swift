/// What became of the spans a shard was given: `accepted + duplicates + late + overBudget` is their number.
public struct IngestReport: Sendable {
  /// Spans the shard holds now.
  public internal(set) var accepted = 0
  /// Spans their trace already has, or had: dropped.
  public internal(set) var duplicates = 0
  /// Spans of closed traces; their bytes are `latePayload`, the shard holds nothing of them.
  public internal(set) var late = 0
  /// Spans past `maxSpansPerTrace`: dropped.
  public internal(set) var overBudget = 0
  /// Complete `resource_spans` fields of the late spans, to be handed on at once.
  public internal(set) var latePayload: [UInt8] = []
  /// Traces that had to close early to make room, to be handed on at once.
  public internal(set) var closed = Closing()
  /// By how much what the shard holds has grown; the early closed traces are already taken off.
  public internal(set) var heldBytesChange = 0
}
