/// What was submitted and not answered yet, and the room that is promised to it.
struct Submissions {
  private(set) var waiting: [Submission] = []
  private(set) var isClosed = false
  /// Live bytes in the file.
  private(set) var usedBytes: Int
  /// Bytes of appends that wait.
  private var promisedBytes = 0
  /// Whether the writer knows that there is something to do.
  private var isScheduled = false
  private let maxBytes: Int

  init(usedBytes: Int, maxBytes: Int) {
    self.usedBytes = usedBytes
    self.maxBytes = maxBytes
  }

  /// Puts one at the end; true when the writer is to be woken.
  mutating func submit(_ submission: Submission) -> Bool {
    waiting.append(submission)
    return wake()
  }

  mutating func submit(_ transaction: DiskLogTransaction, _ completion: @escaping Submission.AppendCompletion) -> Bool {
    let bytes = transaction.appendedBytes
    if isClosed { return submit(.refused(.closed, completion)) }
    let isOver = bytes > 0 && usedBytes &+ promisedBytes > maxBytes &- bytes
    if isOver, !transaction.isForced { return submit(.refused(.full, completion)) }
    promisedBytes += bytes
    return submit(.transaction(transaction, appendedBytes: bytes, completion))
  }

  mutating func submitRead(_ addresses: [UInt64], _ completion: @escaping Submission.ReadCompletion) -> Bool {
    submit(isClosed ? .refusedRead(completion) : .read(addresses, completion))
  }

  mutating func submitClose(_ completion: @escaping @Sendable () -> Void) -> Bool {
    isClosed = true
    return submit(.close(completion))
  }

  private mutating func wake() -> Bool {
    defer { isScheduled = true }
    return !isScheduled
  }

  /// Takes what goes into one SQLite transaction: at least one, and not past the limits.
  mutating func take(bytesMax: Int, countMax: Int) -> [Submission] {
    var bytes = 0
    var count = 0
    while count < waiting.count, count < countMax {
      bytes += waiting[count].bytes
      if count > 0, bytes > bytesMax || waiting[count].isClose { break }
      count += 1
    }
    let group = Array(waiting[..<count])
    waiting.removeFirst(count)
    return group
  }

  /// Takes note of what became of a group. What was promised is now used, or free again.
  mutating func settle(promised: Int, used delta: Int) {
    promisedBytes -= promised
    usedBytes = max(0, usedBytes + delta)
  }

  /// Ends a turn of the writer: true when there is more to do.
  mutating func rest() -> Bool {
    isScheduled = !waiting.isEmpty
    return isScheduled
  }
}
