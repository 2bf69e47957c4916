import Compression
import Delivery
import HTTP2Engine
import Telemetry
import TestKit
import Testing
import TraceWire

@testable import Intake

/// Many requests at once, good and bad, in any order, with a consumer that answers when it likes.
@Suite struct InterleavingTests {
  /// A request under way: what is still to be sent of it, and what has to come of it.
  private struct Running {
    var exchange: Exchange
    var rest: ArraySlice<UInt8>
    var isFinished = false
    var isCancelled = false
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func everyRequestIsAnsweredOnceAndTheBudgetComesBack(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bench = Bench(requestBytesMax: 2000, budgetBytes: 20_000)
    bench.consumer.verdict = nil
    var running: [Running] = []
    var ended: [Running] = []
    var consumed = 0
    for _ in 0..<4000 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where running.count < 30:
        bench.consumer.hasRoom = !random.one(in: 10)
        running.append(Self.begin(bench, &random))
      case 1 where !bench.consumer.waiting.isEmpty:
        let index = Int.random(in: 0..<bench.consumer.waiting.count, using: &random)
        bench.consumer.answer(Self.verdict(&random), at: index)
        consumed += 1
      case 2 where !running.isEmpty && random.one(in: 5):
        let index = Int.random(in: 0..<running.count, using: &random)
        running[index].exchange.cancel()
        running[index].isCancelled = true
        ended.append(running.remove(at: index))
      default:
        guard !running.isEmpty else { continue }
        let index = Int.random(in: 0..<running.count, using: &random)
        Self.step(&running[index], &random)
        if running[index].exchange.isAnswered { ended.append(running.remove(at: index)) }
      }
    }
    for var request in running {
      while !request.isFinished { Self.step(&request, &random) }
      ended.append(request)
    }
    while !bench.consumer.waiting.isEmpty { bench.consumer.answer(.accepted) }
    for request in ended {
      let answers = request.exchange.responder.responses.count
      #expect(answers == 1 || (answers == 0 && request.isCancelled), "seed \(seed)")
      #expect(request.exchange.responder.consumedBytes == request.exchange.sentBytes, "seed \(seed)")
    }
    let refusals = ended.filter { ($0.exchange.response?.isRefusal) ?? false }.count
    let booked = RefusalReason.allCases.reduce(0) { $0 + bench.ledger.refusedRequests($1) }
    #expect(booked >= refusals, "seed \(seed)")
    #expect(
      booked <= refusals + ended.filter(\.isCancelled).count, "only of a cancelled one nobody hears: seed \(seed)")
    #expect(bench.budget.used == 0, "seed \(seed)")
    #expect(consumed > 20, "seed \(seed)")
  }

  private static func begin(_ bench: Bench, _ random: inout SeededGenerator) -> Running {
    let count = random.one(in: 8) ? 2001 : Int.random(in: 0...2000, using: &random)
    let coding: ContentCoding = random.one(in: 3) ? .gzip : .identity
    var body = coding == .identity ? noise(count) : compressed(noise(count), coding)
    if random.one(in: 6), !body.isEmpty { body.removeLast() }
    if random.one(in: 2) {
      let exchange = Exchange(bench.grpc, .grpc(encoding: coding.token))
      var bytes = framed(body, flag: coding == .identity ? 0 : 1)
      if random.one(in: 10) { bytes.append(0) }
      return Running(exchange: exchange, rest: bytes[...])
    }
    let head = RequestHead.http(encoding: coding.token, length: random.one(in: 2) ? body.count : nil)
    return Running(exchange: Exchange(bench.http, head), rest: body[...])
  }

  private static func step(_ request: inout Running, _ random: inout SeededGenerator) {
    let count = min(request.rest.count, Int.random(in: 1...600, using: &random))
    request.exchange.send(request.rest.prefix(count))
    request.rest = request.rest.dropFirst(count)
    guard request.rest.isEmpty, !request.isFinished else { return }
    request.isFinished = true
    request.exchange.finish()
  }

  private static func verdict(_ random: inout SeededGenerator) -> IntakeVerdict {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: .malformed(WireFault(.truncated, at: 1))
    case 1: .overload(retryAfter: .seconds(1))
    case 2: .forbidden("no")
    case 3: .accepted(rejectedSpans: 1, message: "one")
    default: .accepted
    }
  }
}

extension Response {
  /// Whether this is no success.
  fileprivate var isRefusal: Bool { grpcStatus.map { $0 != 0 } ?? (status != 200) }
}
