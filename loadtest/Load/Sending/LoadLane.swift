import NIOCore
import Transport

/// One connection's share of a run: sends what its schedule says, and connects again where the connection ends.
final class LoadLane {
  private let plan: LoadPlan
  private let number: Int
  private let loop: any EventLoop
  private let bodies: BodySource
  private let makeConnection: () -> any ExportConnection
  private var connection: (any ExportConnection)?
  private var schedule: SendSchedule?
  private var inFlight = 0
  private var timer: Scheduled<Void>?
  private var isPumping = false
  private var isReady = false
  private var isClosing = false
  private let inFlightMax: Int
  private(set) var tally = LoadTally()

  /// Fulfilled when requests can be sent for the first time, or fails when the plan's patience is over.
  let ready: EventLoopPromise<Void>
  /// Fulfilled when all is sent and answered.
  let finished: EventLoopPromise<Void>

  /// How long nothing is sent after a refusal, or until another try to connect: what is told to go away and does not
  /// would measure nothing but refusals.
  private static let pause = TimeAmount.milliseconds(10)

  init(_ plan: LoadPlan, number: Int, tls: TLSContextSource?, bodies: BodySource, on loop: any EventLoop) {
    self.plan = plan
    self.number = number
    self.loop = loop
    self.bodies = bodies
    if case .inFlight(let count) = plan.pace { inFlightMax = count } else { inFlightMax = .max }
    makeConnection = {
      switch plan.transport {
      case .grpc: GRPCExportConnection(plan, tls: tls, on: loop)
      case .http: HTTP1ExportConnection(plan, tls: tls, on: loop)
      }
    }
    ready = loop.makePromise()
    finished = loop.makePromise()
  }

  /// Opens the connection, as often as it takes.
  func connect() {
    let patience = TimeAmount.nanoseconds(Int64(plan.patience / .nanoseconds(1)))
    let ready = ready
    let late = loop.scheduleTask(in: patience) { ready.fail(LoadFailure.cannotConnect("no answer in time")) }
    ready.futureResult.whenComplete { _ in late.cancel() }
    openConnection()
  }

  private func openConnection() {
    let connection = makeConnection()
    self.connection = connection
    connection.onReady = { [weak self] in
      guard let self else { return }
      if !isReady {
        isReady = true
        ready.succeed()
      }
      pump()
    }
    connection.onEnd = { [weak self] _ in self?.ended() }
    connection.open()
  }

  private func ended() {
    connection = nil
    guard !isClosing else { return }
    if schedule != nil { tally.reconnects += 1 }
    wait(until: loop.now + Self.pause) { $0.openConnection() }
  }

  /// Begins to send.
  func begin(at time: UInt64) {
    schedule = SendSchedule(plan, connection: number, begin: time)
    wait(until: .uptimeNanoseconds(time)) { $0.pump() }
  }

  /// Ends the run: what is not answered never will be.
  func close() {
    isClosing = true
    timer?.cancel()
    connection?.close()
    tally.missed = schedule?.overdue(now: NIODeadline.now().uptimeNanoseconds) ?? 0
    if inFlight > 0 { tally.answers[ExportAnswer.unanswered.name, default: 0] += inFlight }
    inFlight = 0
    ready.fail(LoadFailure.cannotConnect("closed"))
    finished.succeed()
  }

  /// Sends whatever is due and can be sent.
  private func pump() {
    guard !isPumping, !isClosing, schedule != nil, let connection else { return }
    isPumping = true
    defer { isPumping = false }
    while inFlight < inFlightMax, connection.canSend {
      switch schedule?.next(now: NIODeadline.now().uptimeNanoseconds) {
      case .send(let number, let due): send(number, due, connection)
      case .wait(let time): return wait(until: .uptimeNanoseconds(time)) { $0.pump() }
      case .done, nil:
        if inFlight == 0 { finished.succeed() }
        return
      }
    }
  }

  private func send(_ number: Int, _ due: UInt64, _ connection: any ExportConnection) {
    let body = bodies.body(number)
    tally.requests += 1
    tally.spans += body.spanCount
    tally.bytes += body.bytes.count + (plan.transport == .grpc ? 5 : 0)
    inFlight += 1
    connection.send(body.bytes) { [weak self] answer in
      self?.answered(answer, to: number, due, spanCount: body.spanCount)
    }
  }

  private func answered(_ answer: ExportAnswer, to number: Int, _ due: UInt64, spanCount: Int) {
    guard !isClosing else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    inFlight -= 1
    tally.lastAnswer = now
    tally.answers[answer.name, default: 0] += 1
    guard answer.isAccepted else { return wait(until: loop.now + Self.pause) { $0.pump() } }
    tally.acceptedSpans += spanCount
    if number >= plan.warmup { tally.latencies.record(now &- min(due, now)) }
    pump()
  }

  private func wait(until deadline: NIODeadline, _ action: @escaping (LoadLane) -> Void) {
    timer?.cancel()
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      guard let self else { return }
      action(self)
    }
  }
}
