import Formats
import TestKit
import Testing
import TraceWire

@Suite struct SharedSpanTests {
  private func translate(_ spans: String...) throws -> Translated {
    let json = [UInt8]("[\(spans.joined(separator: ","))]".utf8)
    return try Translated(ZipkinJSON.translate(json.span.bytes))
  }

  private func span(_ name: String, _ id: String, parent: String, service: String, _ more: String = "") -> String {
    #"{"traceId":"7","id":"\#(id)","parentId":"\#(parent)","name":"\#(name)","#
      + #""localEndpoint":{"serviceName":"\#(service)"}\#(more)}"#
  }

  private var client: String { span("client", "b", parent: "a", service: "front", #","kind":"CLIENT""#) }
  private var server: String { span("server", "b", parent: "a", service: "back", #","kind":"SERVER","shared":true"#) }

  @Test func theServersHalfIsAChildOfTheClients() throws {
    let result = try translate(client, server)
    let (front, back) = (try #require(result.named("client")).span, try #require(result.named("server")).span)
    #expect(hex(front.spanID) == "000000000000000b")
    #expect(hex(front.parentSpanID) == "000000000000000a")
    #expect(front.kind == .client)
    #expect(back.spanID != front.spanID)
    #expect(back.parentSpanID == front.spanID)
    #expect(back.kind == .server)
  }

  @Test func theNewIDIsTheSameWhoeverReports() throws {
    let together = try #require(try translate(client, server).named("server")).span.spanID
    #expect(try translate(server).spans.map(\.spanID) == [together])
    // Another service's half of a span that was tried twice is another span, and so is another trace's.
    let second = server.replacing("back", with: "other")
    #expect(try translate(second).spans.map(\.spanID) != [together])
    #expect(try translate(server.replacing(#""7""#, with: #""8""#)).spans.map(\.spanID) != [together])
  }

  @Test(arguments: [true, false]) func childrenOfTheServerFollowIt(_ comeFirst: Bool) throws {
    let children = [
      span("query", "c", parent: "b", service: "back"), span("retry", "d", parent: "b", service: "front"),
      span("deeper", "e", parent: "c", service: "back"),
    ]
    let spans = comeFirst ? children + [server, client] : [client, server] + children
    let json = [UInt8]("[\(spans.joined(separator: ","))]".utf8)
    let result = try Translated(ZipkinJSON.translate(json.span.bytes))
    let back = try #require(result.named("server")).span
    #expect(result.named("query")?.span.parentSpanID == back.spanID)
    #expect(result.named("retry").map { hex($0.span.parentSpanID) } == "000000000000000b")
    #expect(result.named("deeper").map { hex($0.span.parentSpanID) } == "000000000000000c")
  }

  @Test func otherTracesChildrenAreLeftAlone() throws {
    let child = span("query", "c", parent: "b", service: "back").replacing(#""traceId":"7""#, with: #""traceId":"8""#)
    let result = try translate(server, child)
    #expect(result.named("query").map { hex($0.span.parentSpanID) } == "000000000000000b")
  }

  @Test func sharingIsTheServersToSay() throws {
    let odd = client.replacing(#""kind":"CLIENT""#, with: #""kind":"CLIENT","shared":true"#)
    #expect(try translate(odd).spans.map { hex($0.spanID) } == ["000000000000000b"])
    let untold = server.replacing(#""kind":"SERVER","#, with: "")
    #expect(try translate(untold).spans.map(\.kind) == [.server])
  }
}
