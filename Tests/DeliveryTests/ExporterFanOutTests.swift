import Delivery
import Telemetry
import Testing

@Suite struct ExporterFanOutTests {
  private let tempo = ExporterCounters(name: "otlp/tempo", lanes: 2, capacity: ByteBudget(limit: 10))
  private let jaeger = ExporterCounters(name: "otlp/jaeger", capacity: ByteBudget(limit: 20))
  private let batch = Batch(payload: Array(repeating: 1, count: 5), spanCount: 3)

  private func numbers(_ name: String) -> [String: Double] {
    var numbers: [String: Double] = [:]
    for family in ExporterCounters.metricFamilies([tempo, jaeger]) where family.name == "longspan_exporter_" + name {
      for sample in family.samples {
        guard case .number(let number) = sample.value else { continue }
        numbers[sample.labels.map(\.value).joined(separator: " ")] = number
      }
    }
    return numbers
  }

  @Test func aFullExporterMissesABatchAlone() {
    let fanOut = ExporterFanOut([tempo, jaeger])
    #expect(fanOut.hand(batch).takers == [0, 1])
    #expect(fanOut.hand(batch).takers == [0, 1])
    #expect(tempo.capacity.isOverSoftLimit)
    #expect(!fanOut.isFull)
    let handing = fanOut.hand(batch)
    #expect(handing.takers == [1])
    #expect(tempo.capacity.used == 10)
    #expect(numbers("dropped_spans_total")["otlp/tempo queue_full"] == 3)
    #expect(numbers("dropped_spans_total")["otlp/jaeger queue_full"] == 0)
    let settlement = Settlement(sequence: 0, batch: handing.batch, cause: .delivered(rejected: 0))
    #expect(settlement.depart() == Departure(forwarded: 0, undeliverable: 3, bytes: 5))

    #expect(fanOut.hand(batch).takers == [1])
    #expect(fanOut.isFull)
  }

  @Test func whenAllAreFullAllTakeWhatWasAcknowledged() {
    let fanOut = ExporterFanOut([tempo, jaeger])
    tempo.capacity.reserveUnchecked(10)
    jaeger.capacity.reserveUnchecked(20)
    #expect(fanOut.isFull)
    let handing = fanOut.hand(batch)
    #expect(handing.takers == [0, 1])
    #expect(handing.batch.handedOn?.pending == 2)
    #expect(tempo.capacity.used == 15)
    #expect(jaeger.capacity.used == 25)
    #expect(numbers("dropped_spans_total")["otlp/tempo queue_full"] == 0)
  }

  @Test func takersEnqueueWithoutPayingTwice() {
    let fanOut = ExporterFanOut([jaeger])
    let handing = fanOut.hand(batch)
    var forwarder = Forwarder(ForwarderOptions(), queue: SendingQueue(capacity: jaeger.capacity), seed: 1)
    var commands: [ForwarderCommand] = []
    #expect(forwarder.enqueue(handing.batch, .charged, now: 0, into: &commands))
    #expect(jaeger.capacity.used == 5)
    #expect(forwarder.abandon().count == 1)
    #expect(jaeger.capacity.used == 0)
  }

  @Test func countersAreSummedOverLanesAndNamed() {
    tempo.sent(bytes: 100, attempt: 1)
    tempo.sent(bytes: 50, attempt: 2)
    tempo.answered(.grpc(status: 0))
    tempo.answered(.grpc(status: 14))
    tempo.answered(.grpc(status: 99))
    tempo.answered(.failed(.timeout))
    tempo.settled(Settlement(sequence: 0, batch: batch, cause: .delivered(rejected: 1)))
    tempo.settled(Settlement(sequence: 0, batch: batch, cause: .refused(code: 3)))
    var forwarder = Forwarder(ForwarderOptions(), queue: SendingQueue(capacity: tempo.capacity), seed: 1)
    var commands: [ForwarderCommand] = []
    forwarder.start(now: 0, into: &commands)
    forwarder.connectionUp(slot: 0, now: 0, into: &commands)
    #expect(forwarder.enqueue(batch, .ifRoom, now: 0, into: &commands))
    tempo.publish(forwarder, lane: 0)
    tempo.publish(forwarder, lane: 1)
    #expect(numbers("sent_bytes_total") == ["otlp/tempo": 150, "otlp/jaeger": 0])
    #expect(numbers("retries_total") == ["otlp/tempo": 1, "otlp/jaeger": 0])
    #expect(
      numbers("requests_total") == [
        "otlp/tempo OK": 1, "otlp/tempo UNAVAILABLE": 1, "otlp/tempo UNKNOWN": 1, "otlp/tempo DEADLINE_EXCEEDED": 1,
        "otlp/jaeger OK": 0,
      ])
    #expect(numbers("dropped_spans_total")["otlp/tempo rejected"] == 1)
    #expect(numbers("dropped_spans_total")["otlp/tempo refused"] == 3)
    #expect(numbers("in_flight_requests") == ["otlp/tempo": 2, "otlp/jaeger": 0])
    #expect(numbers("connections") == ["otlp/tempo": 2, "otlp/jaeger": 0])
    #expect(numbers("queue_bytes") == ["otlp/tempo": 5, "otlp/jaeger": 0])
    #expect(numbers("queue_capacity_bytes") == ["otlp/tempo": 10, "otlp/jaeger": 20])
  }
}
