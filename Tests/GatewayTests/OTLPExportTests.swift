import Delivery
import Testing
import TraceWire

@testable import Gateway
@testable import HTTP2Engine

/// What an upstream's response means, from the header fields up.
@Suite struct OTLPExportTests {
  private func response(
    _ status: Int = 200, fields: HeaderFields = [:], body: [UInt8] = [], trailers: HeaderFields = [:]
  ) -> Result<ClientResponse, ClientFailure> {
    .success(ClientResponse(status: status, fields: fields, body: body, trailers: trailers))
  }

  @Test func successInTrailers() {
    #expect(OTLPExport.answer(response(body: [0, 0, 0, 0, 0], trailers: ["grpc-status": "0"])) == .grpc(status: 0))
  }

  @Test func rejectedSpansAreRead() {
    let message = ExportResponse(rejectedSpans: 7, errorMessage: "odd").protobuf
    let body = [0, 0, 0, 0, UInt8(message.count)] + message
    let answer = OTLPExport.answer(response(body: body, trailers: ["grpc-status": "0"]))
    #expect(answer == .grpc(status: 0, rejectedSpans: 7))
  }

  @Test func retryInfoIsReadFromTrailersOnly() {
    let details = RPCStatus(code: .unavailable, message: "later", retryDelay: .milliseconds(1500))
    let text = String(decoding: GRPCBinaryHeader.encode(details.protobuf), as: UTF8.self)
    let answer = OTLPExport.answer(response(fields: ["grpc-status": "14", "grpc-status-details-bin": text]))
    #expect(answer == .grpc(status: 14, retryDelay: .milliseconds(1500)))
  }

  @Test func whatIsNotGRPC() {
    #expect(OTLPExport.answer(response(503)) == .grpcOverHTTP(status: 503))
    #expect(OTLPExport.answer(response(200)) == .failed(.stream))
    #expect(OTLPExport.answer(.failure(.goneAway)) == .failed(.unprocessed))
    #expect(OTLPExport.answer(.failure(.connectionLost)) == .failed(.connection))
    #expect(OTLPExport.answer(response(trailers: ["grpc-status": "no number"])) == .grpc(status: 2))
  }
}
