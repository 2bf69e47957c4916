import Delivery
import Testing

@Suite struct SendingQueueTests {
  private func batch(_ bytes: Int, spans: Int = 1) -> Batch {
    Batch(payload: Array(repeating: 0, count: bytes), spanCount: spans)
  }

  @Test func takesNotOneByteMoreThanItsCapacity() {
    var queue = SendingQueue(capacity: ByteBudget(limit: 10))
    #expect(queue.enqueue(batch(9), .ifRoom) == 0)
    #expect(!queue.isFull)
    #expect(queue.canAccept(1))
    #expect(!queue.canAccept(2))
    #expect(queue.enqueue(batch(2), .ifRoom) == nil)
    #expect(queue.enqueue(batch(1), .ifRoom) == 1)
    #expect(queue.isFull)
    #expect(queue.enqueue(batch(1), .ifRoom) == nil)
    #expect(queue.enqueue(batch(5), .force) == 2)
    #expect(queue.byteCount == 15)
    #expect(queue.spanCount == 3)
    #expect(queue.settle(0)?.byteCount == 9)
    #expect(queue.settle(0) == nil)
    #expect(queue.capacity.used == 6)
    #expect(queue.canAccept(4))
    #expect(!queue.canAccept(5))
  }

  @Test func lanesShareTheCapacityOfTheirExporter() {
    let capacity = ByteBudget(limit: 10)
    var first = SendingQueue(lane: 0, capacity: capacity)
    var second = SendingQueue(lane: 1, capacity: capacity)
    #expect(first.enqueue(batch(10), .ifRoom) == 0)
    #expect(second.isFull)
    #expect(second.enqueue(batch(1), .ifRoom) == nil)
    _ = first.settle(0)
    #expect(second.enqueue(batch(1), .ifRoom) == 0)
  }

  @Test func aBatchLargerThanTheQueueIsTakenWhenItIsEmpty() {
    var queue = SendingQueue(capacity: ByteBudget(limit: 10))
    #expect(queue.canAccept(11))
    #expect(queue.enqueue(batch(11), .ifRoom) == 0)
    #expect(queue.enqueue(batch(11), .ifRoom) == nil)
  }

  @Test func settlesWhatAnAcknowledgementOfItsEpochNames() {
    var queue = SendingQueue(lane: 3, epoch: 9, capacity: ByteBudget(limit: 1000))
    for size in 1...8 { _ = queue.enqueue(batch(size), .ifRoom) }
    #expect(queue[7]?.lane == 3)
    #expect(queue[7]?.epoch == 9)
    var acknowledgement = Acknowledgement(epoch: 8, through: 3)
    #expect(queue.settle(acknowledgement).isEmpty)
    acknowledgement.epoch = 9
    acknowledgement.insert(5)
    #expect(queue.settle(acknowledgement).map(\.sequence) == [0, 1, 2, 5])
    #expect(queue.settle(acknowledgement).isEmpty)
    #expect(queue.settled == acknowledgement)
    #expect(queue.count == 4)
    #expect(queue.byteCount == 4 + 5 + 7 + 8)
  }
}
