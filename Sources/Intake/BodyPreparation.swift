internal import Compression
internal import Delivery
internal import TraceWire

/// What makes an OTLP message of a request's body: it is decompressed, translated and counted. Each step is charged
/// before there is room made for it.
struct BodyPreparation: Sendable {
  enum Outcome: Sendable {
    /// A message, with the number of its parts where it is not small: what looking at it will take is charged for.
    case ready([UInt8], RequestCensus?)
    /// Not compressed as was said.
    case damaged
    case malformed(WireFault)
    case tooLarge
    /// It has far more parts than a request of its size can have.
    case excessive
    case overBudget
    /// It is not for an event loop, which has other things to do.
    case large
  }

  var coding: ContentCoding
  var format: BodyFormat
  var bytesMax: Int
  var budget: ByteBudget

  /// Messages up to this size are not counted: at their worst they take about five mebibytes, for as long as one event
  /// loop looks at them.
  private static let uncountedBytesMax = 1 << 16

  /// Where a large body begins: what has to be translated takes longer, so that a quarter is large.
  private var largeBytesMin: Int { IntakeRequest.largeBytesMin / (format == .otlp ? 1 : 4) }

  /// Prepares a body of which so much is charged already, and says how much is charged then.
  /// - Parameter refusesLarge: whether to stop with `large` as soon as it is known to be.
  func run(
    _ body: [UInt8], charged: Int, _ decompressor: Decompressor, refusesLarge: Bool
  ) -> (outcome: Outcome, charged: Int) {
    var charged = charged
    return (prepare(body, &charged, decompressor, refusesLarge), charged)
  }

  private func prepare(
    _ body: [UInt8], _ charged: inout Int, _ decompressor: Decompressor, _ refusesLarge: Bool
  ) -> Outcome {
    if refusesLarge, body.count >= largeBytesMin { return .large }
    var message = body
    if coding != .identity {
      let limit = refusesLarge ? min(bytesMax, largeBytesMin) : bytesMax
      do throws(CompressionFault) {
        message = try decompressor.inflate(body.span.bytes, coding: coding, limit: limit) { room in
          charge(upTo: body.count + room, &charged)
        }
      } catch {
        switch error {
        case .tooLarge: return limit < bytesMax ? .large : .tooLarge
        case .malformed: return .damaged
        case .noRoom: return .overBudget
        }
      }
    }
    if format != .otlp {
      guard charge(upTo: message.count * format.roomFactor, &charged) else { return .overBudget }
      do throws(WireFault) {
        message = try format.translate(message)
      } catch {
        return .malformed(error)
      }
    }
    return count(message, &charged)
  }

  /// Counts the message's parts, and charges for what looking at them will take.
  private func count(_ message: [UInt8], _ charged: inout Int) -> Outcome {
    guard message.count > Self.uncountedBytesMax else {
      return charge(upTo: message.count, &charged) ? .ready(message, nil) : .overBudget
    }
    do throws(WireFault) {
      let census = try RequestCensus(message.span.bytes, isLong: message.count >= largeBytesMin)
      guard !census.isExcessive else { return .excessive }
      return charge(upTo: message.count + census.readingBytes, &charged) ? .ready(message, census) : .overBudget
    } catch {
      return .malformed(error)
    }
  }

  private func charge(upTo bytes: Int, _ charged: inout Int) -> Bool {
    guard bytes > charged else { return true }
    guard budget.reserve(bytes - charged) else { return false }
    charged = bytes
    return true
  }
}

extension IntakeContext {
  /// Prepares a body here or, where it is large, elsewhere; `then` is given the outcome and what is charged, at once or
  /// later.
  func prepare(
    _ preparation: BodyPreparation, _ body: [UInt8], charged: Int,
    then: @escaping (BodyPreparation.Outcome, Int) -> Void
  ) {
    let (outcome, charged) = preparation.run(body, charged: charged, decompressor, refusesLarge: offload != nil)
    guard case .large = outcome, let offload else { return then(outcome, charged) }
    offload.run {
      preparation.run(body, charged: charged, Decompressor(), refusesLarge: false)
    } then: {
      then($0.outcome, $0.charged)
    }
  }
}
