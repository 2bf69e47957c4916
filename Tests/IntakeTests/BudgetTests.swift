import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing
import TraceWire

@testable import Intake

/// Every byte that is held is charged, and given back on every way out.
@Suite struct BudgetTests {
  /// Begins a request of either kind; the body is what the kind makes of `message`.
  private static func begin(_ bench: Bench, grpc: Bool, _ message: [UInt8]) -> (Exchange, body: [UInt8]) {
    grpc
      ? (Exchange(bench.grpc, .grpc()), framed(message))
      : (Exchange(bench.http, .http(length: message.count)), message)
  }

  @Test(arguments: [true, false]) func acceptedLater(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20)
    bench.consumer.verdict = nil
    let (exchange, body) = Self.begin(bench, grpc: grpc, noise(10_000))
    exchange.send(body)
    #expect(bench.budget.used >= 10_000)
    exchange.finish()
    #expect(!exchange.isAnswered)
    #expect(bench.budget.used >= 10_000, "the consumer has the bytes")
    bench.consumer.answer(.accepted)
    #expect(exchange.response?.status == 200)
    #expect(bench.budget.used == 0)
  }

  @Test(arguments: [true, false]) func refusedLater(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20)
    bench.consumer.verdict = nil
    let (exchange, body) = Self.begin(bench, grpc: grpc, noise(10_000))
    exchange.send(body)
    exchange.finish()
    bench.consumer.answer(.overload(retryAfter: .seconds(1)))
    #expect(exchange.responder.responses.count == 1)
    #expect(bench.refused == [.overload: 1])
    #expect(bench.budget.used == 0)
  }

  @Test(arguments: [true, false]) func cancelledWhileTheBodyComes(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20)
    let (exchange, body) = Self.begin(bench, grpc: grpc, noise(10_000))
    exchange.send(body.dropLast())
    let receiver = exchange.receiver
    exchange.cancel()
    #expect(bench.budget.used == 0, "although somebody still holds the receiver")
    receiver?.finish()
    #expect(!exchange.isAnswered)
    #expect(bench.consumer.requests.isEmpty)
    #expect(bench.refused.isEmpty)
  }

  @Test(arguments: [true, false]) func cancelledWhileTheConsumerHasIt(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20)
    bench.consumer.verdict = nil
    let (exchange, body) = Self.begin(bench, grpc: grpc, noise(10_000))
    exchange.send(body)
    exchange.finish()
    exchange.cancel()
    #expect(bench.budget.used >= 10_000, "the consumer still has the bytes")
    bench.consumer.answer(.malformed(WireFault(.truncated, at: 0)))
    #expect(!exchange.isAnswered)
    #expect(bench.budget.used == 0)
    #expect(bench.refused == [.malformed: 1])
  }

  @Test(arguments: [true, false]) func refusedInMidBody(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20)
    let (exchange, body) = Self.begin(bench, grpc: grpc, noise(10_000))
    exchange.send(body.prefix(5000))
    let receiver = exchange.receiver
    bench.budget.resize(limit: 0)
    exchange.send(body.dropFirst(5000))
    // Room that was made for the announced length is room still: then it is the consumer that refuses.
    if !exchange.isAnswered {
      bench.consumer.verdict = .overload(retryAfter: .seconds(1))
      exchange.finish()
    }
    #expect(bench.refused == [.overload: 1])
    #expect(bench.budget.used == 0)
    receiver?.finish()
    #expect(exchange.responder.responses.count == 1)
  }

  /// A body that needs as much as there is, and one byte more.
  @Test(arguments: [true, false]) func theBudgetHoldsToTheByte(_ grpc: Bool) {
    let bench = Bench(requestBytesMax: 1 << 20, budgetBytes: 10_000)
    for (count, isTaken) in [(10_000, true), (10_001, false)] {
      let (exchange, body) = Self.begin(bench, grpc: grpc, noise(count))
      exchange.send(body)
      exchange.finish()
      #expect(bench.consumer.requests.count == (isTaken ? 1 : 0))
      #expect(bench.refused == (isTaken ? [:] : [.overload: 1]))
      #expect(bench.budget.used == 0)
      bench.consumer.forget()
    }
  }

  @Test func whatDecompressionMakesIsChargedToo() {
    let big = [UInt8](repeating: 1, count: 9000)
    let packed = compressed(big, .gzip)
    // Both are there while one is made of the other.
    let both = packed.count + big.count
    for (budget, isTaken) in [(both, true), (both - 1, false)] {
      let bench = Bench(requestBytesMax: 1 << 20, budgetBytes: budget)
      var used = 0
      bench.consumer.onConsume = { [budget = bench.budget] in used = budget.used }
      let call = bench.call(.grpc(encoding: "gzip"), framed(packed, flag: 1))
      #expect(call.response?.grpcStatus == (isTaken ? 0 : 14))
      #expect(used == (isTaken ? both : 0))
      #expect(bench.budget.used == 0)
    }
  }

  @Test func anAnnouncementAloneBuysNothing() {
    let bench = Bench(requestBytesMax: 1 << 30, budgetBytes: 1 << 30)
    let call = Exchange(bench.grpc, .grpc())
    call.send(framed([], length: 1 << 30))
    let post = Exchange(bench.http, .http(length: 1 << 30))
    #expect(bench.budget.used == 0)
    call.send([1])
    post.send([1])
    #expect(bench.budget.used <= 2 * 4096)
    call.send(noise(100_000))
    #expect(bench.budget.used <= 1 << 20, "no more than a small multiple of what came")
    call.cancel()
    post.cancel()
    #expect(bench.budget.used == 0)
  }

  @Test func aSmallRequestIsChargedWithItsOwnSize() {
    let bench = Bench()
    let call = Exchange(bench.grpc, .grpc())
    call.send(framed(noise(100)))
    #expect(bench.budget.used == 100)
    let post = Exchange(bench.http, .http(length: 100))
    post.send(noise(100))
    #expect(bench.budget.used == 200)
  }

  @Test func receiversAreLetGo() {
    let bench = Bench()
    bench.consumer.verdict = nil
    weak var weakCall: GRPCExport?
    weak var weakPost: HTTPExport?
    do {
      let call = Exchange(bench.grpc, .grpc())
      let post = Exchange(bench.http, .http())
      weakCall = call.receiver as? GRPCExport
      weakPost = post.receiver as? HTTPExport
      call.send(framed([1]))
      post.send([1])
      call.finish()
      post.finish()
      #expect(weakCall != nil && weakPost != nil)
      bench.consumer.answer(.accepted)
      bench.consumer.answer(.accepted)
      #expect(weakCall == nil && weakPost == nil)
    }
  }
}
