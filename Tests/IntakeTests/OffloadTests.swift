import Compression
import Delivery
import HTTP2Engine
import Telemetry
import Testing

@testable import Intake

/// Large requests are prepared elsewhere, and nothing about them is different afterwards.
@Suite struct OffloadTests {
  private static let large = 512 << 10
  private let offload = FakeOffload()

  private func bench() -> Bench { Bench(requestBytesMax: 4 << 20, budgetBytes: 64 << 20, offload: offload) }

  /// A body of so many bytes, one field that nobody knows.
  private static func body(_ size: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x7a]
    var length = size - 5
    for _ in 0..<3 {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + [UInt8](repeating: 0x20, count: size - 5)
  }

  @Test func theLimitIsCrossedByOne() {
    let bench = bench()
    #expect(bench.post(.http(), Self.body(Self.large - 1)).response?.status == 200)
    #expect(offload.count == 0)
    let post = bench.post(.http(), Self.body(Self.large))
    let call = bench.call(.grpc(), framed(Self.body(Self.large)))
    #expect(offload.count == 2 && !post.isAnswered && !call.isAnswered)
    offload.work()
    #expect(post.response?.status == 200)
    #expect(call.response?.grpcStatus == 0)
    #expect(bench.consumer.requests.map(\.body.count) == [Self.large - 1, Self.large, Self.large])
    #expect(bench.budget.used == 0)
  }

  /// What is small and turns out to be large is begun again.
  @Test func bombsGoElsewhere() {
    let bench = bench()
    let packed = compressed(Self.body(2 << 20), .gzip)
    #expect(packed.count < 1 << 16)
    let call = bench.call(.grpc(encoding: "gzip"), framed(packed, flag: 1))
    let post = bench.post(.http(encoding: "gzip"), compressed(Self.body(5 << 20), .gzip))
    #expect(offload.count == 2 && !call.isAnswered && !post.isAnswered)
    offload.work()
    #expect(call.response?.grpcStatus == 0)
    #expect(bench.consumer.requests.map(\.body.count) == [2 << 20])
    #expect(post.response?.status == 413)
    #expect(bench.refused == [.tooLarge: 1])
    #expect(bench.budget.used == 0)
  }

  @Test func whoLeavesMeanwhileLeavesNothing() {
    let bench = bench()
    let post = bench.post(.http(), Self.body(1 << 20))
    post.cancel()
    #expect(bench.budget.used >= 1 << 20, "the other thread has it")
    offload.work()
    #expect(!post.isAnswered)
    #expect(bench.consumer.requests.isEmpty)
    #expect(bench.budget.used == 0)
  }

  @Test func faultsAreTheSame() {
    let bench = bench()
    let damaged = bench.post(.http(encoding: "gzip"), [UInt8](repeating: 7, count: 1 << 20))
    let malformed = bench.post(.http(), [0x0a] + [UInt8](repeating: 0xff, count: 1 << 20))
    offload.work()
    #expect(damaged.response?.status == 400)
    #expect(malformed.response?.status == 400)
    #expect(bench.refused == [.malformed: 2])
    #expect(bench.budget.used == 0)
  }
}
