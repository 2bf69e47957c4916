internal import Intake
internal import Telemetry

/// The requests of one event loop that wait for their spans to be on disk. A request may lie in several batches, and is
/// answered when the last of them is written; where one cannot be, the client is to send everything again.
struct WaitingRequests {
  private struct Request {
    var receiver: ReceiverKind
    /// Batches that are not written.
    var batches = 0
    var verdict: IntakeVerdict?
    var refusal: IntakeVerdict?
    var completion: ((IntakeVerdict) -> Void)?
  }

  private var requests: [UInt64: Request] = [:]
  private var next: UInt64 = 0

  /// Begins a request, which gets a number.
  mutating func open(_ receiver: ReceiverKind) -> UInt64 {
    next &+= 1
    requests[next] = Request(receiver: receiver)
    return next
  }

  /// The request was taken in. False: it waits for nothing, and is gone.
  mutating func close(_ number: UInt64, _ verdict: IntakeVerdict, _ completion: @escaping (IntakeVerdict) -> Void)
    -> Bool
  {
    guard let request = requests[number], request.batches > 0 else {
      requests[number] = nil
      return false
    }
    requests[number]?.verdict = verdict
    requests[number]?.completion = completion
    return true
  }

  /// So many more batches hold spans of the request.
  mutating func wait(_ number: UInt64, batches: Int) { requests[number]?.batches += batches }

  /// Where the first of the requests came in.
  func receiver(of numbers: [UInt64]) -> ReceiverKind {
    numbers.first.flatMap { requests[$0]?.receiver } ?? .otlpGRPC
  }

  /// A batch is written, or refused. The answers that this leads to are to be given when the mutation is over, for a
  /// client may send its next request at once.
  mutating func settle(_ numbers: [UInt64], _ refusal: IntakeVerdict?) -> [() -> Void] {
    var answers: [() -> Void] = []
    for number in numbers {
      guard var request = requests.removeValue(forKey: number) else { continue }
      request.batches -= 1
      request.refusal = request.refusal ?? refusal
      guard request.batches == 0, let completion = request.completion, let verdict = request.verdict else {
        requests[number] = request
        continue
      }
      let answer = request.refusal ?? verdict
      answers.append { completion(answer) }
    }
    return answers
  }
}
