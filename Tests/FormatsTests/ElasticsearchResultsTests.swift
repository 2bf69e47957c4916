import Formats
import Testing
import TraceWire

private func results(_ json: String) throws -> ElasticsearchResults {
  try ElasticsearchBulk.results([UInt8](json.utf8))
}

@Suite("Elasticsearch responses") struct ElasticsearchResultsTests {
  /// The shape of the responses in Elasticsearch's documentation of the bulk API.
  @Test func statusesAreInOrder() throws {
    let results = try results(
      """
      {"took": 486, "errors": true, "items": [
        {"create": {"_index": "i", "_id": "1", "_version": 1, "result": "created",
          "_shards": {"total": 2, "successful": 1, "failed": 0}, "status": 201, "_seq_no": 0}},
        {"create": {"_index": "i", "_id": "2", "status": 400, "error": {"type": "mapper_parsing_exception",
          "reason": "failed to parse", "caused_by": {"type": "illegal_argument_exception"}}}},
        {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}},
        {"create": {"status": 409}}, {"index": {"status": 503}}, {"create": {}}, {}, null]}
      """)
    #expect(results.statuses == [201, 400, 429, 409, 503, 0, 0, 0])
    #expect(results.errorType == "mapper_parsing_exception")
    #expect(
      (0..<9).map { results.verdict(of: $0) }
        == [.stored, .refused, .retry, .stored, .retry, .retry, .retry, .retry, .retry])
  }

  @Test func textOfPeersIsCut() throws {
    let long = String(repeating: "x", count: 1000)
    #expect(try results(#"{"items":[{"a":{"error":{"type":"\#(long)"}}}]}"#).errorType?.utf8.count == 64)
    #expect(try results(#"{"items":[{"a":{"error":"\#(long)","status":400}}]}"#).statuses == [400])
  }

  @Test(arguments: [
    "", "{", "null", "[]", "{}", "<html>", #"{"items":5}"#, #"{"items":[5]}"#, #"{"items":[{"create":5}]}"#,
    #"{"items":[{"create":{"status":"x"}}]}"#, #"{"items":[]"#, #"{"items":[]}}"#, #"{"items":[],"items":[]}"#,
    #"{"items":null}"#.replacing("null", with: "[{},]"), #"{"error":{"type":"security_exception"},"status":401}"#,
  ]) func whatIsNoSuchResponseIsRefused(_ json: String) {
    #expect(throws: WireFault.self) { try results(json) }
  }

  @Test func depthAndNumbersAreBounded() throws {
    let deep = String(repeating: "[", count: 200_000)
    let error = #expect(throws: WireFault.self) { try results(#"{"took":\#(deep)"#) }
    #expect(error?.kind == .tooDeep)
    #expect(try results(#"{"items":[{"a":{"status":99999999999}},{"a":{"status":-4}}]}"#).statuses == [.max, 0])
  }

  @Test func responsesHaveALimit() {
    let bytes = [UInt8](repeating: 0x20, count: ElasticsearchResults.responseBytesMax + 1)
    #expect(throws: WireFault(.badLength, at: 0)) { try ElasticsearchBulk.results(bytes) }
  }
}
