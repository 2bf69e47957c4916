internal import Delivery
internal import Intake
internal import Stitching
internal import Telemetry
internal import TraceWire

/// A request that was walked and may be taken in.
struct TakenRequest: Sendable {
  let request: ReceivedRequest
  /// The valid spans by shard.
  let lists: [[UInt32]]
  let receiver: ReceiverKind
  let batch: BatchIdentity?
  /// The memory the request's bytes are charged with while shards still read them.
  let charge: RequestCharge
  /// Who gives back the room of a large one; last, so that nothing of it is left by then.
  let remains: Remains<AggregatorStage.Read, AggregatorStage>?

  private var count: Int { request.facts.spans.count }
  private var valid: Int { lists.reduce(0) { $0 + $1.count } }

  /// What the sender is told.
  var verdict: IntakeVerdict {
    let invalid = count - valid
    guard invalid > 0 else { return .accepted }
    return .accepted(
      rejectedSpans: invalid, message: "\(invalid) spans with a trace ID or span ID that is not valid")
  }

  /// Books the spans as received and held.
  func book(in ledger: SpanLedger) {
    ledger.received(count, by: receiver)
    ledger.left(count - valid, as: .rejected)
    ledger.held(valid, in: .stitching)
  }
}

/// A shard's spans of a request, trace by trace.
struct TraceRuns {
  /// The traces, in the spans' order; one may come twice.
  private(set) var ids: [TraceID] = []
  /// The spans of each.
  private(set) var lists: [ArraySlice<UInt32>] = []

  /// Divides spans of which those of a trace lie next to each other.
  init(_ spans: [UInt32], of request: ReceivedRequest) {
    var first = 0
    while first < spans.count {
      let id = request.facts.spans[Int(spans[first])].traceID
      var last = first + 1
      while last < spans.count, request.facts.spans[Int(spans[last])].traceID == id { last += 1 }
      ids.append(id)
      lists.append(spans[first..<last])
      first = last
    }
  }
}
