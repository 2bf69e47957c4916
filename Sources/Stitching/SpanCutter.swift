internal import TraceWire

/// Cuts spans of a request out verbatim.
enum SpanCutter {
  static func append(_ indices: [UInt32], of request: ReceivedRequest, to output: inout [UInt8]) {
    for index in indices {
      let span = request.facts.spans[Int(index)]
      var writer = ProtobufWriter(output)
      output = []
      writer.message(1) { writer in
        let resource = request.facts.resources[Int(span.resource)].resource
        if !resource.isEmpty { writer.bytes(1, request.bytes[resource.indices]) }
        writer.message(2) { $0.bytes(2, request.bytes[span.body.indices]) }
      }
      output = writer.bytes
    }
  }
}
