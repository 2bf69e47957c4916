import Testing

@testable import FaultProxy

/// The words people and programs change a link with.
@Suite struct CommandTests {
  @Test(arguments: [
    ("delay 50ms", LinkCommand.delay(.milliseconds(50))), ("delay 250us", .delay(Latency(nanoseconds: 250_000))),
    ("delay 1.5s", .delay(.milliseconds(1500))), ("delay 0", .delay(.milliseconds(0))),
    ("bandwidth 1MiB", .bandwidth(1_048_576)), ("bandwidth 1Gbit", .bandwidth(125_000_000)),
    ("bandwidth 512", .bandwidth(512)), ("bandwidth none", .bandwidth(nil)), ("heal", .fault(.none)),
    ("fault none", .fault(.none)), ("fault reset", .fault(.reset)), ("fault blackhole", .fault(.blackHole)),
    ("fault half-open", .fault(.halfOpen([.toServer, .toClient]))),
    ("fault half-open:to-client", .fault(.halfOpen([.toClient]))),
    (" fault  close-after:64KiB ", .fault(.closeAfter(bytes: 65536))), ("status", .status),
  ]) func understood(_ line: String, _ command: LinkCommand) { #expect(LinkCommand(line) == command) }

  @Test(arguments: [
    "", "delay", "delay 5", "delay -1ms", "delay 2h", "delay 3601s", "delay nans", "bandwidth 0", "bandwidth 1Mb",
    "bandwidth 1e999", "fault", "fault half-open:", "fault half-open:sideways", "fault close-after:0",
    "fault close-after:99999999999999999999GiB", "heal it", "status now",
  ]) func refused(_ line: String) { #expect(LinkCommand(line) == nil) }

  @Test(arguments: [
    Fault.none, .reset, .blackHole, .halfOpen([.toServer]), .halfOpen([.toClient]),
    .halfOpen([.toServer, .toClient]), .closeAfter(bytes: 17),
  ]) func faultsReadWhatTheyWrite(_ fault: Fault) { #expect(Fault(fault.description) == fault) }

  @Test func endpoints() {
    #expect(SocketEndpoint("127.0.0.1:80") == SocketEndpoint(host: "127.0.0.1", port: 80))
    #expect(SocketEndpoint("[::1]:0") == SocketEndpoint(host: "::1", port: 0))
    #expect(SocketEndpoint("[::1]:0")?.description == "[::1]:0")
    for text in ["", ":80", "host", "host:", "host:65536", "::1:80", "[]:1", "host:-1"] {
      #expect(SocketEndpoint(text) == nil, "\(text)")
    }
  }
}
