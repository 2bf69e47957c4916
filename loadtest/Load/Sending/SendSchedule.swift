/// When one connection's requests are due: a value without a clock. The connections of a plan take turns, so that all
/// numbers are used once, whatever each connection's speed.
struct SendSchedule {
  enum Step: Equatable {
    /// Send this request; its latency counts from `due`.
    case send(number: Int, due: UInt64)
    /// Nothing before this time.
    case wait(until: UInt64)
    /// Nothing ever.
    case done
  }

  /// This connection, of so many.
  let connection: Int
  let connections: Int
  /// Nanoseconds between two requests of all connections together; `nil` in a closed loop.
  let interval: Double?
  let requestsMax: Int
  /// Nothing is due any more from here on.
  let deadline: UInt64
  private let begin: UInt64
  private var turn = 0

  init(_ plan: LoadPlan, connection: Int, begin: UInt64) {
    self.connection = connection
    self.begin = begin
    connections = plan.connections
    if case .perSecond(let rate) = plan.pace { interval = 1e9 / max(rate, 1e-3) } else { interval = nil }
    switch plan.end {
    case .requests(let count):
      requestsMax = count
      deadline = .max
    case .after(let duration):
      requestsMax = .max
      deadline = begin &+ UInt64(clamping: Int64(duration / .nanoseconds(1)))
    }
  }

  /// The next request, which the caller then sends.
  mutating func next(now: UInt64) -> Step {
    let number = turn * connections + connection
    guard number < requestsMax else { return .done }
    guard let interval else {
      guard now < deadline else { return .done }
      turn += 1
      return .send(number: number, due: now)
    }
    let due = begin &+ UInt64(Double(number) * interval)
    guard due < deadline else { return .done }
    guard due <= now else { return .wait(until: due) }
    turn += 1
    return .send(number: number, due: due)
  }

  /// Requests of an open loop that were due by now and are not sent.
  func overdue(now: UInt64) -> Int {
    guard let interval else { return 0 }
    let elapsed = Double(min(now, deadline)) - Double(begin)
    guard elapsed > 0 else { return 0 }
    let due = Int(min((elapsed / interval).rounded(.up), Double(requestsMax)))
    return max(0, (due - connection + connections - 1) / connections - turn)
  }
}
