internal import HTTP2Engine
internal import NIOCore
internal import Transport

/// A lane's way to a file: a line at a time, written on another thread.
final class FileLink: ExporterLink {
  var onUp: (() -> Void)?
  var onDown: ((UpstreamFailure) -> Void)?
  var onCapacityChange: (() -> Void)?
  var onRoom: (() -> Void)?
  let concurrencyMax = 1
  let isGoingAway = false
  /// A disk that is slow is no reason to give it up.
  var lastReceived: UInt64 { NIODeadline.now().uptimeNanoseconds }

  private let file: OutputFile
  private let bulk: BulkLoop
  private var lastNumber: Int32 = 0
  private var underWay: (number: Int32, completion: (Result<ClientResponse, ClientFailure>) -> Void)?

  /// A way that is not open yet; the file is written on `bulk`.
  init(_ file: OutputFile, on bulk: BulkLoop) {
    self.file = file
    self.bulk = bulk
  }

  func open(on loop: any EventLoop) {
    run { file throws(OutputFile.Fault) in
      try file.open()
    } then: { [self] fault in
      if let fault { return reportDown(UpstreamFailure(label: "open", message: "\(fault)")) }
      reportUp()
    }
  }

  func askForRoom() -> Bool { true }

  func carry(
    _ message: ExportMessage, sent: @escaping () -> Void,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard case .line(let line) = message, underWay == nil, onDown != nil else { return nil }
    lastNumber = lastNumber == .max ? 1 : lastNumber + 1
    underWay = (lastNumber, completion)
    run { file throws(OutputFile.Fault) in
      try file.append(line)
    } then: { [self] fault in
      let written = underWay
      underWay = nil
      written?.completion(fault == nil ? .success(ClientResponse(status: 200)) : .failure(.connectionLost))
      if let fault { reportDown(UpstreamFailure(label: "write", message: "\(fault)")) }
    }
    return lastNumber
  }

  /// Of no effect: what is being written cannot be called back, and is told when it is done.
  func cancel(_ message: Int32) {}

  func close(because reason: UpstreamFailure) { reportDown(reason) }

  /// Does something with the file, and then the rest here.
  private func run(
    _ work: @escaping @Sendable (OutputFile) throws(OutputFile.Fault) -> Void,
    then: @escaping (OutputFile.Fault?) -> Void
  ) {
    bulk.run(
      { [file] () -> OutputFile.Fault? in
        do throws(OutputFile.Fault) { try work(file) } catch { return error }
        return nil
      }, then: then)
  }
}
