/// A body for Elasticsearch's bulk API: for each document a line that says what to do, and a line that is the document.
public struct ElasticsearchDocuments: Sendable {
  /// The body (`application/x-ndjson`).
  public internal(set) var bytes: [UInt8] = []
  /// Where in the body each document lies, both lines and their newlines included. One for each span, in the order of
  /// the request; the response names their outcomes in the same order.
  public internal(set) var ranges: [Range<Int>] = []

  /// The documents at these places, as a body of their own: those that are to be sent again.
  public func only(_ places: some Sequence<Int>) -> ElasticsearchDocuments {
    var some = ElasticsearchDocuments()
    for place in places where ranges.indices.contains(place) {
      let start = some.bytes.count
      some.bytes.append(contentsOf: bytes[ranges[place]])
      some.ranges.append(start..<some.bytes.count)
    }
    return some
  }
}
