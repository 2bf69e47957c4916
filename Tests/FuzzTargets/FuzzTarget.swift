// FuzzTargets: what is asked of the code that reads peers' bytes, whatever the bytes are.
//
// Each target takes arbitrary bytes and checks what must hold: agreement with swift-protobuf or with a plain reference
// written from the specification, limits, conservation. `FuzzTests` replays a corpus through them and mutates it from a
// seed; `loadtest/fuzz.sh` runs one of them for as long as wanted under libFuzzer (`LibFuzzer.swift`).
// A finding is thrown; crashes, overflows and exclusive access are the process's to find.
// What a target needs besides the data (a limit, a size of pieces) it takes from the last bytes: see `FuzzInput`.

internal import Formats

/// An entry point for arbitrary bytes.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// The walk over an OTLP request, against swift-protobuf.
  case otlp
  /// Editors and writer on a walked request, against swift-protobuf.
  case rewrite
  /// A relay's policy on a request, against the contract's rules written out plainly.
  case relay
  /// All processors on a request, against what must not be left in it.
  case processors
  /// A pattern and a text.
  case pattern
  /// OTLP/JSON text.
  case json
  /// OTLP/JSON made from the request that the bytes are.
  case jsonEncoded = "json_encoded"
  /// Zipkin v2 JSON.
  case zipkinJSON = "zipkin_json"
  /// Zipkin v1 JSON.
  case zipkinV1JSON = "zipkin_v1_json"
  /// Zipkin v2 protobuf.
  case zipkinProtobuf = "zipkin_proto"
  /// Jaeger's thrift.
  case jaegerThrift = "jaeger_thrift"
  /// Jaeger's protobuf.
  case jaegerProtobuf = "jaeger_proto"
  /// OTLP as OTLP/JSON, against swift-protobuf.
  case otlpJSONText = "otlp_json_text"
  /// OTLP as Zipkin v2 JSON.
  case zipkinOutput = "zipkin_output"
  /// OTLP as documents for Elasticsearch.
  case elasticsearch
  /// Responses of Elasticsearch's bulk API.
  case elasticsearchResponse = "elasticsearch_response"
  /// Bounded decompression of gzip and zstd.
  case decompress
  /// Compression of the bytes, and back.
  case compress
  /// The editor of tracestate, against splitting strings.
  case traceState = "tracestate"
  /// W3C baggage headers, against splitting strings.
  case baggage
  /// Small messages a destination answers with.
  case answer
  /// Bodies through the receiving services.
  case intake
  /// A client's bytes.
  case http2Server = "http2_server"
  /// A server's bytes.
  case http2Client = "http2_client"

  /// Does what there is to do with the bytes and throws what should not have happened.
  public func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    switch self {
    case .otlp: try OTLPTarget.run(bytes)
    case .rewrite: try RewriteTarget.run(bytes)
    case .relay: try RelayTarget.run(bytes)
    case .processors: try ProcessorsTarget.run(bytes)
    case .pattern: try PatternTarget.run(bytes)
    case .json: try JSONTarget.run(bytes)
    case .jsonEncoded: try JSONTarget.runEncoded(bytes)
    case .zipkinJSON: try FormatsTarget.runJSON(bytes, spansMax: 1, ZipkinJSON.translate)
    case .zipkinV1JSON: try FormatsTarget.runJSON(bytes, spansMax: 2, ZipkinV1JSON.translate)
    case .zipkinProtobuf: try FormatsTarget.run(bytes, ZipkinProtobuf.translate)
    case .jaegerThrift: try FormatsTarget.run(bytes, JaegerThrift.translate)
    case .jaegerProtobuf: try FormatsTarget.run(bytes, JaegerProtobuf.translate)
    case .otlpJSONText: try OutputTarget.runOTLPJSON(bytes)
    case .zipkinOutput: try OutputTarget.runZipkin(bytes)
    case .elasticsearch: try OutputTarget.runElasticsearch(bytes)
    case .elasticsearchResponse: try OutputTarget.runElasticsearchResponse(bytes)
    case .decompress: try CompressionTarget.runDecompress(bytes)
    case .compress: try CompressionTarget.runCompress(bytes)
    case .traceState: try TraceStateTarget.run(bytes)
    case .baggage: try BaggageTarget.run(bytes)
    case .answer: try AnswerTarget.run(bytes)
    case .intake: try IntakeTarget.run(bytes)
    case .http2Server: try HTTP2ServerTarget.run(bytes)
    case .http2Client: try HTTP2ClientTarget.run(bytes)
    }
  }
}
