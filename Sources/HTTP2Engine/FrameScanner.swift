/// The types of frames that the engine counts (RFC 9113 6, RFC 9218).
enum FrameType {
  static let data: UInt8 = 0
  static let headers: UInt8 = 1
  static let priority: UInt8 = 2
  static let reset: UInt8 = 3
  static let settings: UInt8 = 4
  static let pushPromise: UInt8 = 5
  static let ping: UInt8 = 6
  static let goAway: UInt8 = 7
  static let windowUpdate: UInt8 = 8
  static let continuation: UInt8 = 9
  static let priorityUpdate: UInt8 = 16
}

/// The flags of frames; ACK and END_STREAM share a bit.
enum FrameFlag {
  static let endStream: UInt8 = 1
  static let ack: UInt8 = 1
  static let padded: UInt8 = 8
}

/// The first nine bytes of a frame, as far as counting needs them.
struct FrameHead: Equatable {
  var length: Int
  var type: UInt8
  var flags: UInt8

  /// What the frame is for.
  var kind: FrameKinds {
    switch type {
    case FrameType.data, FrameType.headers, FrameType.continuation, FrameType.pushPromise: .messages
    default: .control
    }
  }

  /// What the frame may be abuse of, if it may.
  var suspicion: HTTP2Fault.Kind? {
    switch type {
    case FrameType.data:
      // Padding can stand for content, and nobody who sends telemetry pads.
      let isEmpty = length == 0 || flags & FrameFlag.padded != 0
      return isEmpty && flags & FrameFlag.endStream == 0 ? .emptyData : nil
    case FrameType.headers, FrameType.pushPromise: return .headers
    case FrameType.priority, FrameType.priorityUpdate: return .priorities
    case FrameType.reset: return .resets
    case FrameType.settings: return .settings
    case FrameType.ping: return .pings
    case FrameType.goAway: return .goAways
    case FrameType.windowUpdate: return .windowUpdates
    case FrameType.continuation: return .continuations
    default: return .unknownFrames
    }
  }
}

/// What frames are for: fields and bodies of messages, or the connection itself.
struct FrameKinds: OptionSet {
  let rawValue: UInt8
  static let messages = FrameKinds(rawValue: 1)
  static let control = FrameKinds(rawValue: 2)
}

/// Finds the frames in a stream of bytes that comes in pieces of any size. It counts beside nghttp2, which tells
/// nothing of the frames that it ignores.
struct FrameScanner {
  /// Bytes of the connection preface or of a payload that are still to be passed over.
  private var skip: Int
  /// The bytes of a frame's head that came so far, the first one highest.
  private var head: UInt64 = 0
  private var headCount = 0

  private static let headLength = 9
  /// "PRI * HTTP/2.0..." (RFC 9113 3.4), which a client sends first.
  private static let prefaceLength = 24

  init(expectsPreface: Bool) { skip = expectsPreface ? Self.prefaceLength : 0 }

  /// The next frame head that is complete at or after `offset`, which moves behind it; nil at the end of the bytes.
  mutating func next(in bytes: RawSpan, at offset: inout Int) -> FrameHead? {
    while offset < bytes.byteCount {
      if skip > 0 {
        let step = min(skip, bytes.byteCount - offset)
        skip -= step
        offset += step
        continue
      }
      let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      headCount += 1
      // The stream number, the last four bytes, is of no interest.
      if headCount <= 5 { head = head << 8 | UInt64(byte) }
      if headCount == Self.headLength {
        let found = FrameHead(
          length: Int(head >> 16), type: UInt8(truncatingIfNeeded: head >> 8), flags: UInt8(truncatingIfNeeded: head))
        skip = found.length
        head = 0
        headCount = 0
        return found
      }
    }
    return nil
  }
}
