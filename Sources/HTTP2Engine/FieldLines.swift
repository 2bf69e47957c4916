internal import CNghttp2

extension HeaderFields {
  /// The fields as nghttp2 takes them, behind an optional first one; valid during the call, and nghttp2 copies them.
  func withLines<Result>(
    first: nghttp2_nv? = nil, _ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count + 1) { lines in
      var filled = 0
      func add(_ line: nghttp2_nv) {
        lines.initializeElement(at: filled, to: line)
        filled += 1
      }
      if let first { add(first) }
      // SAFETY: the storage lives as long as the closure; nghttp2 only reads, and copies before it returns.
      return withRawFields { name, value in
        add(
          nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.baseAddress),
            value: UnsafeMutablePointer(mutating: value.baseAddress),
            namelen: name.count, valuelen: value.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
      } then: {
        body(UnsafeMutableBufferPointer(rebasing: lines[..<filled]))
      }
    }
  }
}
