/// Appends parts of one buffer to another; parts that are neighbours are copied in one go.
struct RunCopier {
  private var run = ByteRange()

  /// Appends a part, perhaps not before the next one is known.
  @inline(__always)
  mutating func copy(_ part: ByteRange, of bytes: RawSpan, to output: inout [UInt8]) {
    if part.lower == run.upper {
      run.upper = part.upper
    } else {
      flush(of: bytes, to: &output)
      run = part
    }
  }

  /// Appends what is still held back: needed before anything else is appended, and at the end.
  @inline(__always)
  mutating func flush(of bytes: RawSpan, to output: inout [UInt8]) {
    if !run.isEmpty { output.append(run, of: bytes) }
    run = ByteRange()
  }

  /// Appends the tag and length of a message.
  @inline(__always)
  mutating func open(_ tag: UInt8, count: Int, of bytes: RawSpan, to output: inout [UInt8]) {
    flush(of: bytes, to: &output)
    output.append(tag)
    output.appendVarint(UInt64(truncatingIfNeeded: count))
  }
}
