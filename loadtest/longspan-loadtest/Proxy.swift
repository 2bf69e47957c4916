import ArgumentParser
import FaultProxy

/// The fault proxy as a program.
struct Proxy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A TCP proxy that makes a link long, narrow or broken.",
    discussion: """
      Prints `listening HOST:PORT` when it is ready. The link is changed at run time by lines on standard input, or on \
      connections to the control address; each is answered by one line:

        delay 50ms | bandwidth 1MiB | bandwidth none | fault FAULT | heal | status

      Faults: none, reset, blackhole (nothing travels until it heals), half-open (what is sent is acknowledged and \
      lost; half-open:to-server or half-open:to-client in one direction), close-after:BYTES.
      """)

  @Option(help: "Where to listen; port 0 picks a free one.") var listen = SocketEndpoint(host: "127.0.0.1", port: 0)
  @Option(help: "Where connections lead.") var to: SocketEndpoint
  @Option(help: "How long everything travels, each way.") var delay = Latency(nanoseconds: 0)
  @Option(help: "Bytes a second, each way, for all connections together; 1Gbit is understood too.")
  var bandwidth: ByteCount?
  @Option(help: "What is wrong with the link.") var fault = Fault.none
  @Option(help: "Where to take commands, besides standard input.") var control: SocketEndpoint?

  func run() async throws {
    let link = LinkConditions(delay: delay, bytesPerSecond: bandwidth?.bytes, fault: fault)
    let proxy = try await FaultProxy.start(on: listen, to: to, link)
    OutputLines.say("listening \(proxy.address)")
    // The end of input ends nothing: a proxy in the background has none.
    try await withThrowingDiscardingTaskGroup { group in
      if let control {
        let listener = try await ControlListener(control, proxy)
        OutputLines.say("control \(listener.address)")
        group.addTask { try await listener.run() }
      }
      group.addTask { await Self.obeyInput(proxy) }
      try await proxy.waitForEnd()
    }
  }

  private static func obeyInput(_ proxy: FaultProxy) async {
    for await line in InputLines.stream() {
      OutputLines.say((try? await proxy.obey(line)) ?? "error: the proxy has ended")
    }
  }
}
