internal import CNghttp2

/// Header fields in the form nghttp2 takes; valid during one call.
enum NameValueList {
  /// Runs `body` with the pseudo-header fields, then the others.
  static func with<Result>(
    _ pseudo: [(name: StaticString, value: String)], _ fields: HeaderFields,
    _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
  ) -> Result {
    var bytes: [UInt8] = []
    var lengths: [(name: Int, value: Int)] = []
    for (name, value) in pseudo {
      name.withUTF8Buffer { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: value.utf8)
      lengths.append((name.utf8CodeUnitCount, value.utf8.count))
    }
    fields.forEach { name, value in
      bytes.append(contentsOf: name)
      bytes.append(contentsOf: value)
      lengths.append((name.count, value.count))
    }
    return bytes.withUnsafeMutableBufferPointer { buffer in
      // SAFETY: nghttp2 copies names and values (no NO_COPY flag) before the call returns.
      guard var cursor = buffer.baseAddress else { return body(nil, 0) }
      let list = lengths.map { length in
        let name = cursor
        let value = cursor + length.name
        cursor += length.name + length.value
        return nghttp2_nv(
          name: name, value: value, namelen: length.name, valuelen: length.value, flags: Frame.none)
      }
      return list.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }
  }
}
