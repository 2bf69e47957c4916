import Foundation
import Testing

@testable import DiskLog

@Suite struct DiskLogTests {
  let scratch = Scratch()

  @Test func keepsWhatWasCommitted() async throws {
    let log = try scratch.open()
    #expect(log.opening == DiskLogOpening(epoch: 1))
    #expect(try await log.append(DiskLogRecord("one"), DiskLogRecord("two")) == 1..<3)
    let empty = DiskLogRecord(kind: 255, header: [], payload: [])
    #expect(try await log.append(empty) == 3..<4)
    #expect(log.usedBytes == 8)
    let identity = log.identity
    await log.close()

    let again = try scratch.open()
    #expect(again.identity == identity)
    #expect(again.opening == DiskLogOpening(epoch: 2, records: 3, bytes: 8))
    #expect(try again.records == [1: DiskLogRecord("one"), 2: DiskLogRecord("two"), 3: empty])
    let second = DiskLogEntry(address: 2, kind: 1, header: Array("h".utf8), payloadBytes: 3)
    #expect(try again.entries[1] == second)
    #expect(try await again.read([3, 9, 1, .max]) == [1: DiskLogRecord("one"), 3: empty])
    await again.close()
  }

  @Test func neverGivesAnAddressTwice() async throws {
    var log = try scratch.open()
    #expect(try await log.append(DiskLogRecord("a"), DiskLogRecord("b")) == 1..<3)
    try await log.remove(2...2)
    await log.close()
    log = try scratch.open()
    #expect(try await log.append(DiskLogRecord("c")) == 3..<4)
    try await log.remove(0...UInt64.max)
    #expect(log.usedBytes == 0)
    await log.close()
    log = try scratch.open()
    #expect(log.opening.records == 0)
    #expect(try await log.append(DiskLogRecord("d")) == 4..<5)
    await log.close()
  }

  @Test func removesBeforeItAppends() async throws {
    let log = try scratch.open()
    _ = try await log.append(DiskLogRecord("a"), DiskLogRecord("b"))
    let mixed = DiskLogTransaction(appends: [DiskLogRecord("c")], removals: [1...1, 2...2, 7...9])
    #expect(try await log.commit(mixed).get() == 3..<4)
    #expect(try log.records == [3: DiskLogRecord("c")])
    #expect(log.counters.removedRecords == 2)
    #expect(log.counters.appendedRecords == 3)
    await log.close()
  }

  @Test func replacesNotesWhole() async throws {
    var log = try scratch.open()
    #expect(try log.note("checkpoint") == nil)
    _ = try await log.commit(DiskLogTransaction(notes: ["checkpoint": [1, 2, 3], "empty": []])).get()
    _ = try await log.commit(DiskLogTransaction(notes: ["checkpoint": [4]])).get()
    await log.close()
    log = try scratch.open()
    #expect(try log.note("checkpoint") == [4])
    #expect(try log.note("empty") == [])
    await log.close()
  }

  @Test func answersInTheOrderOfSubmission() async throws {
    let log = try scratch.open(maxBytes: 100)
    let order = Order()
    for number in 0..<200 {
      switch number % 4 {
      case 0: log.commit(DiskLogTransaction(appends: [DiskLogRecord("x")])) { _ in order.add(number) }
      case 1: log.read([1]) { _ in order.add(number) }
      case 2: log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 101)])) { _ in order.add(number) }
      default: log.commit(DiskLogTransaction(removals: [1...UInt64(number)])) { _ in order.add(number) }
      }
    }
    await log.close()
    #expect(order.numbers == Array(0..<200))
  }

  @Test func readSeesWhatWasSubmittedBeforeIt() async throws {
    let log = try scratch.open()
    log.commit(DiskLogTransaction(appends: [DiskLogRecord("a")])) { _ in }
    async let before = log.read([1])
    #expect(try await before == [1: DiskLogRecord("a")])
    try await log.remove(1...1)
    #expect(try await log.read([1]).isEmpty)
    await log.close()
  }

  @Test func refusesWhatComesAfterTheEnd() async throws {
    let log = try scratch.open()
    await log.close()
    #expect(await log.commit(DiskLogTransaction(appends: [DiskLogRecord("a")])) == .failure(.closed))
    await #expect(throws: DiskLogFault.closed) { try await log.read([1]) }
    #expect(throws: DiskLogFault.closed) { try log.index { _ in } }
    #expect(throws: DiskLogFault.closed) { try log.note("x") }
    await log.close()
    #expect(scratch.names == ["queue.lock", "queue.sqlite", "queue.sqlite-wal"])
  }

  @Test func keepsItsFilesToItself() async throws {
    let log = try scratch.open()
    _ = try await log.append(DiskLogRecord("a"))
    for name in scratch.names {
      let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + "/" + name)
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    let directory = try FileManager.default.attributesOfItem(atPath: scratch.path)
    #expect(directory[.posixPermissions] as? Int == 0o700)
    #expect(scratch.names == ["queue.lock", "queue.sqlite", "queue.sqlite-wal"])
    await log.close()
  }

  @Test func isOpenOnlyOnce() async throws {
    let log = try scratch.open()
    let fault = #expect(throws: DiskLogFault.self) { try scratch.open() }
    guard case .broken(let reason)? = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(reason.contains("in use"))
    await log.close()
    let again = try scratch.open()
    await again.close()
  }

  @Test func saysWhyADirectoryCannotBeUsed() throws {
    try Data().write(to: URL(filePath: scratch.path))
    #expect(throws: DiskLogFault.broken("'\(scratch.path)' is not a directory")) { try scratch.open() }
  }

  @Test func identityIsAUUID() {
    let identity = DiskLogIdentity(bytes: Array(0..<16))
    #expect(identity.text == "00010203-0405-0607-0809-0a0b0c0d0e0f")
  }
}

/// Numbers in the order they came.
final class Order: @unchecked Sendable {
  private let lock = NSLock()
  private var list: [Int] = []
  func add(_ number: Int) { lock.withLock { list.append(number) } }
  var numbers: [Int] { lock.withLock { list } }
}
