import HTTP2Engine
import NIOCore
import NIOPosix
import TLSEngine
import Telemetry
import Transport

/// A listener over scripted services.
struct Server {
  let journal = Witness(Journal())
  let counters: ConnectionCounters
  let listener: Listener

  init(
    _ protocols: ListenerOptions.Protocols = .http1AndHTTP2, tls: TLSContext? = nil, http2: HTTP2Limits = HTTP2Limits(),
    connectionsMax: Int = 100, perPeerMax: Int = 0, lingerTimeout: Duration = .seconds(2)
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let journal = journal
    counters = ConnectionCounters(connectionsMax: connectionsMax, perPeerMax: perPeerMax)
    let services = try await PerLoop<any RequestService>(on: Array(group.makeIterator())) { loop, _ in
      ScriptedService(journal, loop)
    }
    listener = try await Listener.bind(
      ListenerOptions(
        name: "test", host: "127.0.0.1", port: 0, protocols: protocols, tls: tls.map { TLSContextSource($0) },
        http2: http2,
        // Other tests may keep a test from running for longer than any peer should take.
        timeouts: ConnectionTimeouts(
          handshake: .seconds(3600), header: .seconds(3600), stall: .seconds(3600), linger: lingerTimeout)),
      group: group, services: services, counters: counters)
  }

  var address: String { listener.address }

  /// Why connections were closed, with how often.
  var closed: [String: Double] {
    var counts: [String: Double] = [:]
    for family in counters.families() where family.name == "longspan_connections_closed_total" {
      for sample in family.samples {
        if case .number(let count) = sample.value { counts[sample.labels.first?.value ?? ""] = count }
      }
    }
    return counts
  }

  /// Lets the requests that wait be answered, once so many do.
  func answerWaiting(_ count: Int = 1) async {
    let waiting = await journal.wait { $0.waiting.count >= count }.waiting
    journal.change { $0.waiting = [] }
    for answer in waiting { answer() }
  }
}
