/// Decompresses whole bodies within a limit. Contexts are made when first needed and kept, so one lives as long as
/// its event loop; it is not to be shared between threads.
public final class Decompressor {
  private var gzip: GzipDecoder?
  private var zstd: ZstdDecoder?

  /// Makes a decompressor; nothing is allocated yet.
  public init() {}

  /// The body that these bytes stand for, at most `limit` bytes of it.
  ///
  /// gzip may have several members and zstd several frames, skippable ones included; what follows the last, like
  /// an empty body, is malformed. Output is decoded straight into its final buffer, which starts at the size the
  /// sender states as far as that is plausible and grows fourfold up to `limit`: a bomb costs no more than `limit`
  /// bytes. zstd's window needs no memory of its own this way, so that any window a frame asks for is fine.
  ///
  /// - Parameter mayTake: Asked with the buffer's size before each allocation, which is larger than the one before;
  ///   `false` ends it with `noRoom`.
  public func inflate(
    _ input: RawSpan, coding: ContentCoding, limit: Int, mayTake: (Int) -> Bool = { _ in true }
  ) throws(CompressionFault) -> [UInt8] {
    precondition(limit >= 0, "a limit is a number of bytes")
    switch coding {
    case .identity:
      guard input.byteCount <= limit else { throw .tooLarge }
      guard mayTake(input.byteCount) else { throw .noRoom }
      // SAFETY: the pointer does not leave the closure.
      return input.withUnsafeBytes { [UInt8]($0) }
    case .gzip:
      let decoder = gzip ?? GzipDecoder()
      gzip = decoder
      return try GrowingOutput.fill(from: input, limit: limit, with: decoder, mayTake)
    case .zstd:
      let decoder = zstd ?? ZstdDecoder()
      zstd = decoder
      return try GrowingOutput.fill(from: input, limit: limit, with: decoder, mayTake)
    }
  }
}

/// What a step of a decoder came to: one gzip member, one zstd frame.
enum DecodedPart {
  /// So much input was used up and so much output written.
  case done(read: Int, written: Int)
  /// The output has no room for the part; nothing of it counts.
  case needsRoom
  case malformed
}

/// A decoder of bodies that consist of independent parts.
protocol PartDecoder {
  /// How long the output is likely to be, as the sender states it; zero where it does not.
  func statedSize(_ input: UnsafeRawBufferPointer) -> Int
  /// Decodes the part at the start of the input, which is not empty, into the output.
  func decodePart(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodedPart
}

/// A body that is being decoded: where the decoder stands, and the buffer that grows.
private struct GrowingOutput {
  /// Past this ratio nothing is believed: what deflate can reach.
  private static let ratioMax = 1032
  private static let roomMin = 4096
  private static let growth = 4

  private var read = 0
  private var bytes: [UInt8] = []

  static func fill(
    from input: RawSpan, limit: Int, with decoder: some PartDecoder, _ mayTake: (Int) -> Bool
  ) throws(CompressionFault) -> [UInt8] {
    // SAFETY: neither the pointer nor anything made of it leaves the closure.
    let result = input.withUnsafeBytes { source -> Result<[UInt8], CompressionFault> in
      guard !source.isEmpty else { return .failure(.malformed) }
      let (plausible, overflow) = source.count.multipliedReportingOverflow(by: ratioMax)
      let stated = min(decoder.statedSize(source), overflow ? .max : plausible)
      let likely = source.count > Int.max / growth ? Int.max : source.count * growth
      var room = min(limit, max(roomMin, stated > 0 ? stated : likely))
      var output = GrowingOutput()
      while true {
        guard mayTake(room) else { return .failure(.noRoom) }
        switch output.decode(source, room: room, with: decoder) {
        case .done: return .success(output.bytes)
        case .malformed: return .failure(.malformed)
        case .needsRoom:
          guard room < limit else { return .failure(.tooLarge) }
          room = room > limit / growth ? limit : room * growth
        }
      }
    }
    return try result.get()
  }

  /// Goes on with the part that is next, in a new buffer that takes over what is already decoded.
  private mutating func decode(
    _ source: UnsafeRawBufferPointer, room: Int, with decoder: some PartDecoder
  ) -> DecodedPart {
    let finished = bytes
    bytes = []
    var position = read
    var part = DecodedPart.done(read: 0, written: 0)
    // One byte more than asked for, so that libraries never get a null pointer. They are told the room that counts.
    bytes = [UInt8](unsafeUninitializedCapacity: max(room, finished.count, 1)) { buffer, count in
      let target = UnsafeMutableRawBufferPointer(buffer)
      target.copyBytes(from: finished)
      count = finished.count
      while position < source.count {
        let free = UnsafeMutableRawBufferPointer(rebasing: target[count..<max(room, count)])
        part = decoder.decodePart(UnsafeRawBufferPointer(rebasing: source[position...]), into: free)
        guard case .done(let read, let written) = part else { break }
        precondition(read > 0 && read <= source.count - position && written <= free.count, "a decoder keeps its bounds")
        position += read
        count += written
      }
    }
    read = position
    return part
  }
}
