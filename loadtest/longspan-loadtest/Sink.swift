import ArgumentParser
import FaultProxy
import Foundation
import Load
import TLSEngine
import UnixSignals

/// The measuring sink as a program.
struct Sink: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "An OTLP server, gRPC and HTTP on one port, that counts spans, bytes and requests.",
    discussion: """
      Prints `listening HOST:PORT` when it is ready, and its counts as JSON when it is told to end by SIGTERM or \
      SIGINT. Lines on standard input change it at run time; each is answered by the counts:

        delay 50ms | refuse 0.5 (the share that is answered UNAVAILABLE or 503) | vanish | return | status
      """)

  @Option(help: "Where to listen; port 0 picks a free one.") var listen = SocketEndpoint(host: "127.0.0.1", port: 0)
  @Option(help: "How long every answer waits.") var delay = Latency(nanoseconds: 0)
  @Option(help: "The share of requests to refuse, 0 to 1.") var refuse = 0.0
  @Option(help: "Event loops.") var threads = 1
  @Option(help: "What may be on its way on each connection.") var window = ByteCount(bytes: 8 << 20)
  @Option(help: "The certificate to show (a PEM file); without it clear text is spoken.") var cert: String?
  @Option(help: "Its key.") var key: String?
  @Option(help: "Whose certificates clients must show (a PEM file).") var clientCa: String?

  func validate() throws {
    guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key belong together") }
    guard cert != nil || clientCa == nil else { throw ValidationError("--client-ca needs --cert") }
    guard (0...1).contains(refuse), threads > 0 else { throw ValidationError("--refuse is between 0 and 1") }
  }

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let sink = try await MeasuringSink.start(
      on: listen, tls: tls, SinkConditions(delay: delay, refused: refuse), threads: threads, window: window.bytes)
    OutputLines.say("listening \(sink.address)")
    // The end of input ends nothing: a sink in the background has none.
    let obeying = Task { for await line in InputLines.stream() { OutputLines.say(await Self.obey(line, sink)) } }
    for await _ in signals { break }
    obeying.cancel()
    OutputLines.say(try await sink.countsText)
    try await sink.stop()
  }

  private static func obey(_ line: String, _ sink: MeasuringSink) async -> String {
    do {
      return try await sink.obey(line)
    } catch {
      return "error: \(error)"
    }
  }

  private var tls: TLSServerConfiguration? {
    guard let cert, let key else { return nil }
    return TLSServerConfiguration(
      certificate: .file(cert), key: .file(key), clientAuthorities: clientCa.map { .file($0) })
  }
}
