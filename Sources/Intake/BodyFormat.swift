internal import Formats
internal import TraceWire

/// How a request's body is written. Past Intake there is only OTLP protobuf.
enum BodyFormat {
  case otlp
  case otlpJSON
  case zipkinJSON
  case zipkinProtobuf
  case zipkinV1JSON
  case jaegerThrift
  case jaegerProtobuf

  /// How many times its size a body needs room for while it is translated, itself included; typical ones need less.
  var roomFactor: Int {
    switch self {
    case .otlp: 1
    case .otlpJSON: 2
    case .zipkinJSON, .zipkinProtobuf, .zipkinV1JSON, .jaegerThrift, .jaegerProtobuf: 4
    }
  }

  /// The body as OTLP protobuf.
  func translate(_ body: consuming [UInt8]) throws(WireFault) -> [UInt8] {
    switch self {
    case .otlp: body
    case .otlpJSON: try OTLPJSON.translate(body.span.bytes)
    case .zipkinJSON: try ZipkinJSON.translate(body.span.bytes)
    case .zipkinProtobuf: try ZipkinProtobuf.translate(body.span.bytes)
    case .zipkinV1JSON: try ZipkinV1JSON.translate(body.span.bytes)
    case .jaegerThrift: try JaegerThrift.translate(body.span.bytes)
    case .jaegerProtobuf: try JaegerProtobuf.translate(body.span.bytes)
    }
  }
}
