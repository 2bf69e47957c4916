import ArgumentParser
import Compression
import FaultProxy
import Foundation
import Load
import TLSEngine

/// The load generator as a program.
struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends OTLP traces and measures the answers.",
    discussion: """
      Closed loop by default: --connections times --in-flight requests. With --rate (spans a second) an open loop: \
      requests go when they are due whatever the answers do, and latencies count from then. Every request has trace \
      IDs of its own; the same seed sends the same bytes. At the end it prints one JSON object.
      """)

  @Option(help: "Where to send.") var to: SocketEndpoint
  @Option(name: .customLong("protocol"), help: "grpc, or http: OTLP/HTTP 1.1.") var transport = LoadProtocol.grpc
  @Option(help: "relay: spans of one region; aggregator: whole traces; fragments: a region's part in each request.")
  var layout = TrafficLayout.relay
  @Option(help: "Spans of a request.") var spans = 100
  @Option(help: "identity, gzip or zstd (level 1).") var compression = ContentCoding.identity
  @Option(help: "Compressed requests to prepare and repeat; 0 compresses each when it is sent.") var pool = 0
  @Option var connections = 1
  @Option(help: "Requests in flight on each connection (HTTP: always one).") var inFlight = 8
  @Option(help: "Spans a second, on all connections together.") var rate: Double?
  @Option(help: "Requests to send.") var requests: Int?
  @Option(help: "How long to send, instead of a number of requests.") var duration: Latency?
  @Option(help: "Requests at the beginning whose latency is not recorded.") var warmup = 0
  @Option(help: "Event loops.") var threads = 1
  @Option(help: "How long to wait for a connection, and for answers at the end.")
  var patience = Latency.milliseconds(30_000)
  @Option var seed: UInt64 = 1
  @Option(help: "Speak TLS 1.3, and trust certificates of this authority (a PEM file).") var ca: String?
  @Option(help: "The name that the server's certificate is for, where it is not the host's.") var serverName: String?
  @Option(help: "The certificate to show (a PEM file).") var cert: String?
  @Option(help: "Its key.") var key: String?

  func validate() throws {
    guard spans > 0, connections > 0, inFlight > 0, threads > 0, pool >= 0, warmup >= 0, requests ?? 1 > 0 else {
      throw ValidationError("numbers of spans, connections, requests and threads begin at 1")
    }
    guard requests == nil || duration == nil else { throw ValidationError("--requests or --duration, not both") }
    guard rate ?? 1 > 0 else { throw ValidationError("--rate is more than 0 spans a second") }
    guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key belong together") }
    guard ca != nil || cert == nil && serverName == nil else { throw ValidationError("TLS needs --ca") }
  }

  func run() async throws {
    let report = try await LoadRun.run(plan)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    OutputLines.say(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  private var plan: LoadPlan {
    let tls = ca.map { authority in
      TLSClientConfiguration(
        serverName: serverName ?? to.host, authorities: .file(authority), certificate: cert.map { .file($0) },
        key: key.map { .file($0) }, applicationProtocols: [transport == .grpc ? "h2" : "http/1.1"])
    }
    let inFlight = transport == .http ? 1 : inFlight
    let end: LoadEnd =
      duration.map { .after(.nanoseconds(Int64($0.nanoseconds))) } ?? .requests(requests ?? 1000)
    return LoadPlan(
      host: to.host, port: to.port, tls: tls, transport: transport, coding: compression, connections: connections,
      pace: rate.map { .perSecond($0 / Double(spans)) } ?? .inFlight(inFlight), end: end, warmup: warmup,
      threads: threads, patience: .nanoseconds(Int64(patience.nanoseconds)), pool: pool,
      traffic: Traffic(layout, spansPerRequest: spans, seed: seed))
  }
}
