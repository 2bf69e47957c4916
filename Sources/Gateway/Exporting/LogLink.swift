internal import HTTP2Engine
internal import Logging
internal import NIOCore
internal import Transport

/// A lane's way to the log.
final class LogLink: ExporterLink {
  var onUp: (() -> Void)?
  var onDown: ((UpstreamFailure) -> Void)?
  var onCapacityChange: (() -> Void)?
  var onRoom: (() -> Void)?
  let concurrencyMax = 1
  let isGoingAway = false
  var lastReceived: UInt64 { NIODeadline.now().uptimeNanoseconds }

  private let logger: Logger
  private let metadata: Logger.Metadata
  private var loop: (any EventLoop)?
  private var lastNumber: Int32 = 0

  /// A way that is not open yet; every event says `metadata` too.
  init(_ logger: Logger, _ metadata: Logger.Metadata) {
    self.logger = logger
    self.metadata = metadata
  }

  func open(on loop: any EventLoop) {
    self.loop = loop
    let here = NIOLoopBound(self, eventLoop: loop)
    loop.execute { here.value.reportUp() }
  }

  func askForRoom() -> Bool { true }

  func carry(
    _ message: ExportMessage, sent: @escaping () -> Void,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard case .events(let events) = message, let loop, onDown != nil else { return nil }
    for event in events { logger.info("\(event.message)", metadata: event.metadata.merging(metadata) { $1 }) }
    lastNumber = lastNumber == .max ? 1 : lastNumber + 1
    let done = NIOLoopBound(completion, eventLoop: loop)
    loop.execute { done.value(.success(ClientResponse(status: 200))) }
    return lastNumber
  }

  func cancel(_ message: Int32) {}

  func close(because reason: UpstreamFailure) { reportDown(reason) }
}
