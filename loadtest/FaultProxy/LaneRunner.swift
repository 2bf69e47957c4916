import NIOCore

/// Carries one direction of a connection from one socket to the other, as its lane says. Lives on the proxy's loop.
final class LaneRunner {
  private(set) var lane: Lane
  private let core: ProxyCore
  private var timer: Scheduled<Void>?
  /// The sockets; `nil` while there is none yet, or none any more.
  var source: (any Channel)?
  var destination: (any Channel)?
  /// The sender said that it has said all.
  private(set) var hasEnded = false
  /// The receiver was told so.
  private(set) var hasFinished = false
  /// Called when the connection is to be closed.
  var onCut: (() -> Void)?

  init(_ direction: Direction, _ core: ProxyCore) {
    lane = Lane(direction)
    self.core = core
    lane.apply(core.conditions.fault)
  }

  func received(_ bytes: ByteBuffer) {
    lane.receive(bytes, now: core.now, on: core.conditions, pace: &core.paces[lane.direction, default: LinkPace()])
  }

  func ended() {
    hasEnded = true
    lane.end(now: core.now, on: core.conditions, pace: &core.paces[lane.direction, default: LinkPace()])
    pump()
  }

  /// The link has changed.
  func changed(fault: Bool) {
    if fault { lane.apply(core.conditions.fault) }
    lane.restart(now: core.now, on: core.conditions, pace: &core.paces[lane.direction, default: LinkPace()])
  }

  /// There is nobody to bring anything to any more.
  func lose() {
    lane.swallow()
    destination = nil
  }

  /// Ends for good.
  func stop() {
    timer?.cancel()
    (source, destination, onCut) = (nil, nil, nil)
  }

  /// Hands on what has arrived and asks for more.
  func pump() {
    timer?.cancel()
    timer = nil
    carry()
    if let source, source.isActive, lane.wantsMore(on: core.conditions) { source.read() }
  }

  private func carry() {
    guard let destination, destination.isActive else { return }
    while destination.isWritable {
      switch lane.next(now: core.now) {
      case .write(let bytes):
        destination.writeAndFlush(bytes, promise: nil)
      case .finish:
        hasFinished = true
        destination.close(mode: .output, promise: nil)
      case .cut:
        return onCut?() ?? ()
      case .wait(let arrival):
        timer = core.loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(arrival)) { [weak self] in
          self?.pump()
        }
        return
      case .nothing:
        return
      }
    }
  }
}
