internal import HTTP2Engine
internal import NIOCore
internal import Transport

/// A lane's way to a file: a line at a time, written on another thread.
final class FileLink: ExporterLink {
  var onUp: (() -> Void)?
  var onDown: ((UpstreamFailure) -> Void)?
  var onCapacityChange: (() -> Void)?
  let concurrencyMax = 1
  let isGoingAway = false
  /// A disk that is slow is no reason to give it up.
  var lastReceived: UInt64 { NIODeadline.now().uptimeNanoseconds }

  private let file: OutputFile
  private let bulk: any EventLoop
  private var loop: (any EventLoop)?
  private var lastNumber: Int32 = 0
  private var underWay: (number: Int32, completion: (Result<ClientResponse, ClientFailure>) -> Void)?

  /// A way that is not open yet; the file is written on `bulk`.
  init(_ file: OutputFile, on bulk: any EventLoop) {
    self.file = file
    self.bulk = bulk
  }

  func open(on loop: any EventLoop) {
    self.loop = loop
    run { file throws(OutputFile.Fault) in
      try file.open()
    } then: { link, fault in
      if let fault { return link.end(UpstreamFailure(label: "open", message: "\(fault)")) }
      let report = link.onUp
      link.onUp = nil
      report?()
    }
  }

  func carry(
    _ message: ExportMessage, completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard case .line(let line) = message, underWay == nil, onDown != nil else { return nil }
    lastNumber = lastNumber == .max ? 1 : lastNumber + 1
    underWay = (lastNumber, completion)
    run { file throws(OutputFile.Fault) in
      try file.append(line)
    } then: { link, fault in
      let written = link.underWay
      link.underWay = nil
      written?.completion(fault == nil ? .success(ClientResponse(status: 200)) : .failure(.connectionLost))
      if let fault { link.end(UpstreamFailure(label: "write", message: "\(fault)")) }
    }
    return lastNumber
  }

  /// Of no effect: what is being written cannot be called back, and is told when it is done.
  func cancel(_ message: Int32) {}

  func close(because reason: UpstreamFailure) { end(reason) }

  private func end(_ failure: UpstreamFailure) {
    let report = onDown
    (onUp, onDown, onCapacityChange) = (nil, nil, nil)
    report?(failure)
  }

  /// Does something with the file, and then the rest here.
  private func run(
    _ work: @escaping @Sendable (OutputFile) throws(OutputFile.Fault) -> Void,
    then: @escaping @Sendable (FileLink, OutputFile.Fault?) -> Void
  ) {
    guard let loop else { return }
    let here = NIOLoopBound(self, eventLoop: loop)
    bulk.execute { [file] in
      var fault: OutputFile.Fault?
      do throws(OutputFile.Fault) { try work(file) } catch { fault = error }
      loop.execute { [fault] in then(here.value, fault) }
    }
  }
}
