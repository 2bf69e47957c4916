import TraceWire

/// Where one span's changing parts lie in a request's bytes. Zero: the span has no such part (no part lies at the
/// request's first byte).
struct SpanPlaces {
  var trace = 0
  var place = 0
  var parent = 0
  var traceID = 0
  var spanID = 0
  var parentID = 0
  var start = 0
  var end = 0
  var event = 0
  /// Two texts of sixteen hexadecimal digits.
  var path = 0
  var user = 0

  /// The same places after so many bytes were put before them.
  func moved(by distance: Int) -> SpanPlaces {
    var moved = self
    for offset in [
      \SpanPlaces.traceID, \.spanID, \.parentID, \.start, \.end, \.event, \.path, \.user,
    ] where moved[keyPath: offset] != 0 {
      moved[keyPath: offset] += distance
    }
    return moved
  }
}

/// A part of a request while it is put together: bytes, and the changing places in them.
struct WirePiece {
  private(set) var writer = ProtobufWriter()
  private(set) var places: [SpanPlaces] = []

  var bytes: [UInt8] { writer.bytes }

  init() {}

  /// A span's bytes.
  init(_ writer: ProtobufWriter, _ places: SpanPlaces) {
    self.writer = writer
    self.places = [places]
  }

  /// Writes what does not change.
  mutating func write(_ body: (inout ProtobufWriter) -> Void) { body(&writer) }

  /// Puts a piece in as a message field.
  mutating func add(_ field: Int, _ piece: WirePiece) {
    writer.bytes(field, piece.bytes)
    let start = writer.bytes.count - piece.bytes.count
    places += piece.places.map { $0.moved(by: start) }
  }
}
