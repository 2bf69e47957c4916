internal import TraceWire

/// Makes the segment of one trace from a request's facts. Pure but for the label numbers it looks up.
struct Segmenter: Sendable {
  /// Labels of the request's resources.
  var labels: ResourceLabels

  init(names: FlowNames, hash: KeyedHash) { labels = ResourceLabels(names: names, hash: hash) }

  /// Begins another request.
  mutating func begin(_ request: ReceivedRequest) { labels.begin(request) }

  /// The record of one span of the request.
  @inline(__always) mutating func record(_ index: UInt32, of request: ReceivedRequest) -> SpanRecord {
    let spans = request.facts.spans
    let label = labels.label(of: spans[Int(index)].resource, in: request)
    return SpanRecord(spans[Int(index)], label)
  }

  /// What a holder of these spans, all of one trace, knows of it. The first of spans with the same ID counts.
  mutating func segment(_ indices: some Sequence<UInt32>, of request: ReceivedRequest, hash: KeyedHash) -> Segment {
    var segment = Segment(hash: hash)
    var links: [Link] = []
    for index in indices { segment.absorb(record(index, of: request), links: &links) }
    return segment
  }
}
