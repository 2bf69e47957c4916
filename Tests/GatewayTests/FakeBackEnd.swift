import Delivery
import Intake
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import Tenancy
import TestKit
import TraceWire

@testable import Gateway

/// A back end on loopback that takes, refuses, puts off or ponders what one exporter sends.
final class FakeBackEnd: Sendable {
  private struct State {
    var random: SeededGenerator
    /// Takes everything from now on.
    var isWilling = false
    var pondered: [@Sendable () -> Void] = []
  }

  private let exporter: Int
  private let witness: JournalWitness
  private let state: Mutex<State>

  init(exporter: Int, seed: UInt64, witness: JournalWitness) {
    self.exporter = exporter
    self.witness = witness
    state = Mutex(State(random: SeededGenerator(seed: seed)))
  }

  /// Begins to listen.
  func listen(on group: MultiThreadedEventLoopGroup) async throws -> Listeners {
    var receivers = ReceiversConfiguration()
    receivers.otlp = OTLPReceiverConfiguration(grpc: ListenerConfiguration(port: 0))
    return try await Listeners.bind(
      receivers, limits: LimitsConfiguration(), threads: try await RoleLoops(group, bulk: Array(group.makeIterator())),
      budget: ByteBudget(limit: 1 << 30, spike: 1 << 20), ledger: SpanLedger(), retryAfter: .milliseconds(1),
      tenants: ModelTenants.new()
    ) { [self] loop in BackEndConsumer(self, loop) }
  }

  /// Answers what it has put aside.
  func answerPondered() {
    let answers = state.withLock { state in
      defer { state.pondered = [] }
      return state.pondered
    }
    for answer in answers { answer() }
  }

  /// Takes everything from now on.
  func becomeWilling() {
    state.withLock { $0.isWilling = true }
    answerPondered()
  }

  fileprivate func judge(_ spans: [ModelSpan.Key], _ answer: @escaping @Sendable (IntakeVerdict) -> Void) {
    let take: @Sendable () -> Void = { [self] in
      see(spans, .taken)
      answer(.accepted)
    }
    let choice = state.withLock { state in
      let choice = state.isWilling ? 3 : Int.random(in: 0..<12, using: &state.random)
      if choice == 0 { state.pondered.append(take) }
      return choice
    }
    switch choice {
    case 0: see(spans, .busy)
    case 1:
      see(spans, .refused)
      answer(.forbidden("not here"))
    case 2:
      see(spans, .busy)
      answer(.overload(retryAfter: .milliseconds(1)))
    default: take()
    }
  }

  private func see(_ spans: [ModelSpan.Key], _ verdict: JournalWitness.Verdict) {
    witness.exported(JournalWitness.Export(exporter: exporter, spans: spans, verdict: verdict))
  }
}

/// The back end on one event loop.
private final class BackEndConsumer: SpanConsumer {
  private let backEnd: FakeBackEnd
  private let loop: any EventLoop

  init(_ backEnd: FakeBackEnd, _ loop: any EventLoop) {
    self.backEnd = backEnd
    self.loop = loop
  }

  var hasRoom: Bool { true }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    var facts = RequestFacts()
    do { try facts.walk(request.body.span.bytes, keys: AttributeKeys()) } catch { return completion(.malformed(error)) }
    // The spans are those of whom the header names: of anybody else's, nobody knows.
    if let tenant = request.tenant { facts.setApart(by: tenant.mask) }
    let bound = NIOLoopBound(completion, eventLoop: loop)
    let spans = facts.spans.map { ModelSpan.Key(trace: $0.traceID, id: $0.spanID.rawValue) }
    backEnd.judge(spans) { [loop] verdict in loop.execute { bound.value(verdict) } }
  }
}
