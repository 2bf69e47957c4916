/// One thing that waits for the writer, with whom to tell.
enum Submission: Sendable {
  case transaction(DiskLogTransaction, appendedBytes: Int, AppendCompletion)
  /// Refused when it was submitted, to be answered in its turn.
  case refused(DiskLogFault, AppendCompletion)
  case refusedRead(ReadCompletion)
  case read([UInt64], ReadCompletion)
  case close(@Sendable () -> Void)

  typealias AppendCompletion = @Sendable (Result<Range<UInt64>, DiskLogFault>) -> Void
  typealias ReadCompletion = @Sendable (Result<[(UInt64, DiskLogRecord)], DiskLogFault>) -> Void

  /// What it holds in memory while it waits, about.
  var bytes: Int {
    if case .transaction(let transaction, _, _) = self { transaction.waitingBytes } else { 0 }
  }

  var appendedBytes: Int {
    if case .transaction(_, let bytes, _) = self { bytes } else { 0 }
  }

  var isClose: Bool {
    if case .close = self { true } else { false }
  }

  /// Tells what became of it.
  func answer(_ answer: SubmissionAnswer) {
    switch (self, answer) {
    case (.transaction(_, _, let completion), .committed(let addresses)): completion(.success(addresses))
    case (.transaction(_, _, let completion), .failed(let fault)): completion(.failure(fault))
    case (.refused(let fault, let completion), _): completion(.failure(fault))
    case (.refusedRead(let completion), _): completion(.failure(.closed))
    case (.read(_, let completion), .found(let records)): completion(.success(records))
    case (.read(_, let completion), .failed(let fault)): completion(.failure(fault))
    case (.close, _), (.transaction, .found), (.read, .committed): break
    }
  }
}

enum SubmissionAnswer {
  case committed(Range<UInt64>)
  case found([(UInt64, DiskLogRecord)])
  case failed(DiskLogFault)
}
