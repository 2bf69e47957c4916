internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Telemetry

/// The demo's processes in one: an aggregator, a relay in every region, and an application's exporter beside each.
final class DemoStack: Sendable {
  private let aggregator: AggregatorRole
  private let relays: [(region: String, role: RelayRole)]
  private let senders: [String: DemoSender]
  private let admin: [Task<Void, any Error>]
  private let group: MultiThreadedEventLoopGroup
  /// What can be looked at while the demo runs.
  let urls: [(name: String, url: String)]

  private init(
    aggregator: AggregatorRole, relays: [(region: String, role: RelayRole)], senders: [String: DemoSender],
    admin: [Task<Void, any Error>], group: MultiThreadedEventLoopGroup, urls: [(name: String, url: String)]
  ) {
    self.aggregator = aggregator
    self.relays = relays
    self.senders = senders
    self.admin = admin
    self.group = group
    self.urls = urls
  }

  /// Makes certificates in `folder` and starts everything.
  static func start(in folder: URL) async throws -> DemoStack {
    let authority = try DemoAuthority(in: folder)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let aggregator = try await AggregatorRole.start(
      try loader(DemoConfiguration.aggregator(try authority.server(), authority: authority.certificatePath))
        .aggregator(files: ["demo.yaml"]).configuration, logger: .quiet)
    await aggregator.connect()
    var relays: [(region: String, role: RelayRole)] = []
    var senders: [String: DemoSender] = [:]
    for region in DemoWorkload.regions {
      let text = DemoConfiguration.relay(
        region, aggregator: aggregator.address(of: "otlp_grpc"), identity: try authority.relay(of: region),
        authority: authority.certificatePath)
      let relay = try await RelayRole.start(
        try loader(text).relay(files: ["demo.yaml"]).configuration, logger: .quiet)
      await relay.connect()
      relays.append((region, relay))
      senders[region] = try await DemoSender.connect(to: relay.address(of: "otlp_grpc"), on: group.next())
    }
    var urls: [(name: String, url: String)] = []
    var admin: [Task<Void, any Error>] = []
    func serve(_ name: String, _ role: any StartedRole) async {
      let bound = BoundAddress()
      let server = AdminServer(host: "127.0.0.1", port: 0, source: role, access: role.adminAccess, bound: bound)
      admin.append(Task { try await server.run() })
      if let address = await bound.value { urls.append((name, "http://\(address)/metrics")) }
    }
    await serve("aggregator", aggregator)
    for (region, relay) in relays { await serve("relay in \(region)", relay) }
    return DemoStack(
      aggregator: aggregator, relays: relays, senders: senders, admin: admin, group: group, urls: urls)
  }

  /// A loader to which every file is this text.
  private static func loader(_ text: String) -> ConfigurationLoader {
    ConfigurationLoader(readFile: { _ in Array(text.utf8) })
  }

  /// Sends spans as the application of a region; whether its relay took them.
  func send(_ spans: [DemoSpan], from region: String) async -> Bool { await senders[region]?.send(spans) ?? false }

  /// What the aggregator says of the flows now.
  func reading() async -> FlowReading { FlowReading(await aggregator.families()) }

  /// Drains the relays, then the aggregator; what the flows came to.
  func finish() async -> FlowReading {
    for sender in senders.values { sender.close() }
    for (_, relay) in relays { await relay.drain(within: .seconds(5)) }
    await aggregator.drain(within: .seconds(5))
    return await reading()
  }

  /// One line a process: received spans and how they left.
  var accounts: [String] {
    let roles = relays.map { ("relay in \($0.region)", $0.role.ledger) } + [("aggregator", aggregator.ledger)]
    return roles.map { name, ledger in
      let received = ReceiverKind.allCases.reduce(0) { $0 + ledger.received($1) }
      let outcomes = Outcome.allCases.compactMap { outcome in
        let count = ledger.left(outcome)
        return count > 0 ? "\(count) \(outcome.rawValue)" : nil
      }
      let held = HeldStage.allCases.reduce(0) { $0 + ledger.held($1) }
      return "\(name): received \(received) spans = \(outcomes.joined(separator: " + ")) + \(held) held"
    }
  }

  /// Ends what is still served.
  func stop() async throws {
    for task in admin { task.cancel() }
    try await group.shutdownGracefully()
  }
}
