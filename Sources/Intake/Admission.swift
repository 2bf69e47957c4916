internal import TraceWire

/// What becomes of a whole message before anyone looks at it closely.
enum Admission {
  /// What it will take is charged for. Small messages are not counted: at their worst they take little.
  case admitted(RequestCensus?)
  case malformed(WireFault)
  /// It has far more parts than a request of its size can have.
  case excessive
  case overBudget

  /// Messages up to this size take at most about five mebibytes, for as long as one event loop looks at them.
  fileprivate static let uncountedBytesMax = 1 << 16
}

extension BodyBuffer {
  /// Charges for a message, decompressed and translated, and for what looking at it will take.
  mutating func admit(_ message: [UInt8]) -> Admission {
    guard message.count > Admission.uncountedBytesMax else {
      return charge(upTo: message.count) ? .admitted(nil) : .overBudget
    }
    do throws(WireFault) {
      let census = try RequestCensus(message.span.bytes)
      guard !census.isExcessive else { return .excessive }
      return charge(upTo: message.count + census.readingBytes) ? .admitted(census) : .overBudget
    } catch {
      return .malformed(error)
    }
  }
}
