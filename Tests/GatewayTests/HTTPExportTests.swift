import Compression
import Delivery
import Foundation
import HTTP2Engine
import Logging
import Testing
import TraceWire

@testable import Gateway

/// What an HTTP server's response means, and what it is sent.
@Suite struct HTTPExportTests {
  private let export = OTLPHTTPExport(
    coding: .gzip,
    heads: HTTPRequestHeads(
      authority: "a:1", isSecure: false, path: "/v1/traces", contentType: "application/x-protobuf",
      headers: [("x-scope-orgid", "tenant")], tenantHeader: "x-scope-orgid"))

  private func judge(_ status: Int, _ fields: HeaderFields = [:], body: [UInt8] = []) -> DeliveryVerdict {
    export.judge(
      .success(ClientResponse(status: status, fields: fields, body: body)), Batch(payload: [], spanCount: 9)
    ).verdict
  }

  @Test func statuses() {
    for status in [200, 202, 204] { #expect(judge(status) == .delivered(rejected: 0)) }
    for status in [429, 502, 503, 504] { #expect(judge(status) == .retry(after: nil)) }
    for status in [301, 400, 401, 403, 404, 405, 408, 413, 415, 500, 501] {
      guard case .permanentFailure = judge(status) else {
        Issue.record("\(status) is not to be tried again: \(judge(status))")
        continue
      }
    }
    #expect(export.judge(.failure(.connectionLost), Batch(payload: [], spanCount: 1)).verdict == .lost)
  }

  @Test func partialSuccess() {
    let body = ExportResponse(rejectedSpans: 4, errorMessage: "odd").protobuf
    #expect(judge(200, body: body) == .delivered(rejected: 4))
    #expect(judge(200, body: Array("not protobuf".utf8)) == .delivered(rejected: 0))
  }

  @Test func retryAfter() throws {
    #expect(judge(503, ["retry-after": "7"]) == .retry(after: .seconds(7)))
    #expect(judge(429, ["retry-after": " 99999999999999999999 "]) == .retry(after: .seconds(Int64(Int32.max))))
    for text in ["", "-1", "soon", String(repeating: "1", count: 100)] {
      #expect(judge(503, ["retry-after": text]) == .retry(after: nil), "\(text)")
    }
    let response = ClientResponse(status: 503, fields: ["retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"])
    let date = Date(timeIntervalSince1970: 1_445_412_480)
    #expect(response.retryAfter(now: date - 30) == .seconds(30))
    #expect(response.retryAfter(now: date + 30) == .seconds(0))
  }

  @Test func messages() throws {
    let payload = [UInt8](repeating: 7, count: 1000)
    let coder = MessageCoder()
    for isCompressed in [false, true] {
      var batch = Batch(payload: isCompressed ? Compressor(.zstd).compress(payload) : payload, spanCount: 1)
      batch.isCompressed = isCompressed
      for coding in ContentCoding.allCases {
        guard case .request(let head, [], let body)? = export.message(batch, coding, coder) else {
          Issue.record("no request in \(coding)")
          continue
        }
        #expect(head.lines.text("content-encoding") == (coding == .identity ? nil : coding.token))
        #expect(head.lines.text("x-scope-orgid") == "tenant")
        #expect(head.lines.text(":path") == "/v1/traces")
        #expect(try Decompressor().inflate(body.span.bytes, coding: coding, limit: 1000) == payload)
      }
    }
    // What the configuration says of all batches holds for those of tenants.
    guard case .request(let head, _, _)? = export.message(Batch(payload: [], spanCount: 1, tenant: "a"), .gzip, coder)
    else {
      Issue.record("no request")
      return
    }
    #expect(head.lines.values(of: Array("x-scope-orgid".utf8)).count == 1)
    #expect(head.lines.text("x-scope-orgid") == "tenant")
    var damaged = Batch(payload: payload, spanCount: 1)
    damaged.isCompressed = true
    if export.message(damaged, .gzip, coder) != nil { Issue.record("damaged bytes were sent") }
  }

  @Test(arguments: [DebugConfiguration.Verbosity.basic, .detailed])
  func theLogNamesTheTenant(_ verbosity: DebugConfiguration.Verbosity) {
    let span = #"{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"x"}"#
    let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span)]}]}]}"#
    let request = try? OTLPJSON.translate(Array(json.utf8).span.bytes)
    for tenant in [nil, "team-a"] {
      let batch = Batch(payload: request ?? [], spanCount: 1, tenant: tenant)
      guard case .events(let events)? = DebugExport(verbosity: verbosity).message(batch, .identity, MessageCoder())
      else {
        Issue.record("no events")
        continue
      }
      #expect(events.count == 1 && events[0].metadata["tenant"] == tenant.map { .string($0) })
    }
  }

  @Test(arguments: ContentCoding.allCases) func tenantsStandInTheHead(_ coding: ContentCoding) {
    let heads = HTTPRequestHeads(
      authority: "a:1", isSecure: false, path: "/", contentType: "application/x-protobuf", headers: [],
      tenantHeader: "x-team")
    let (nobodys, tenants) = (Batch(payload: [], spanCount: 1), Batch(payload: [], spanCount: 1, tenant: "Team-A"))
    #expect(heads.head(of: nobodys, coding)?.lines.text("x-team") == nil)
    #expect(heads.head(of: nobodys, coding)?.lines.count == heads[coding]?.lines.count)
    #expect(heads.head(of: tenants, coding)?.lines.text("x-team") == "Team-A")
  }
}
