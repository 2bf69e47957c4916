internal import TraceWire

/// What a `SpanRecord` holds, in 40 bytes: how long it took follows from its times, and what most spans have in common
/// is a number of `SpanOrigins`.
struct PackedSpan: Sendable {
  let spanID: SpanID
  let parentID: SpanID
  private let start: UInt64
  private let end: UInt64
  private let bytes: UInt32
  /// The origin's number, three bits of kind, two of flags.
  private var tag: UInt32

  private static let kindShift: UInt32 = 27
  private static let flagShift: UInt32 = 30

  /// Packs a record whose origin has this number.
  @inline(__always) init(_ record: SpanRecord, origin: UInt32) {
    spanID = record.spanID
    parentID = record.parentID
    start = record.start
    end = record.end
    bytes = record.link.bytes
    tag =
      origin | UInt32(record.link.kind.rawValue) << Self.kindShift
      | UInt32(record.link.flags.rawValue) << Self.flagShift
  }

  @inline(__always) var origin: UInt32 { tag & SpanOrigins.numberMax }

  @inline(__always) var flags: LinkEnd.Flags {
    get { LinkEnd.Flags(rawValue: UInt8(truncatingIfNeeded: tag >> Self.flagShift)) }
    set { tag = tag & (1 << Self.flagShift &- 1) | UInt32(newValue.rawValue) << Self.flagShift }
  }

  /// Whether the span names a parent that is not known.
  @inline(__always) var isUnmatchedEntry: Bool { parentID.isValid && !flags.contains(.parentKnown) }

  /// The record, whose origin this is.
  @inline(__always) func record(_ origin: SpanOrigin) -> SpanRecord {
    let kind = UInt8(truncatingIfNeeded: tag >> Self.kindShift & 7)
    let link = LinkEnd(
      duration: end.saturatingSubtract(start), weight: origin.weight, bytes: bytes, service: origin.service,
      regionFingerprint: origin.regionFingerprint, region: origin.region,
      kind: SpanFacts.Kind(rawValue: kind) ?? .unspecified, flags: flags)
    return SpanRecord(spanID: spanID, parentID: parentID, start: start, end: end, link: link)
  }
}
