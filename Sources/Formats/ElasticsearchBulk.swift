public import TraceWire

/// OTLP as documents for the bulk API of Elasticsearch (and OpenSearch), named by the Elastic Common Schema as the
/// Collector's exporter does in its `ecs` mode.
///
/// - Each span is a document whose ID is made of trace ID and span ID, and is only created: sent twice it is stored
///   once (status 409).
/// - What the schema has a field for goes there (`ElasticsearchFields`): `@timestamp`, `trace.id`, `span.id`,
///   `parent.id`, `service.name`, `event.outcome`, `span.duration.us`, `host.hostname`, `http.request.method` ...
/// - All other attributes of span, scope and resource are `labels` (text) and `numeric_labels` (numbers), dots made
///   underscores, so that no two spans can disagree about a field's type. Of a name that comes twice the first counts.
/// - Events are `span.events`, links `span.links`.
public struct ElasticsearchBulk: Sendable {
  private let index: ElasticsearchIndex

  /// Documents for this index.
  public init(index: ElasticsearchIndex) { self.index = index }

  /// The spans of an `ExportTraceServiceRequest`; those without valid IDs are left out. Text that is not UTF-8 gets
  /// U+FFFD where it is not. Throws what is wrong with protobuf that cannot be read, and `tooDeep`.
  public func documents(_ request: RawSpan) throws(WireFault) -> ElasticsearchDocuments {
    var writer = ElasticsearchSpanWriter(index: index, requestBytes: request.byteCount)
    try writer.writeAll(request)
    return writer.documents
  }

  /// What a response of the bulk API says of each document. Throws what is wrong with JSON that cannot be read, is
  /// none of such a response or too large; then nothing is known of any document.
  public static func results(_ response: [UInt8]) throws(WireFault) -> ElasticsearchResults {
    var reader = ElasticsearchResponseReader()
    try reader.read(response.span.bytes)
    return ElasticsearchResults(statuses: reader.statuses, errorType: reader.errorType)
  }
}
