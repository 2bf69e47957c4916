internal import Glibc

/// A file that is read by offset, without SQLite.
final class PageFile {
  private let descriptor: Int32
  let length: Int

  /// Nil where it cannot be opened.
  init?(_ path: String) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    length = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// So many bytes from an offset; nil when they are not all there.
  func read(at offset: Int, count: Int) -> [UInt8]? {
    guard offset >= 0, count <= length - offset else { return nil }
    var isWhole = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        // SAFETY: at most `count - initialized` bytes are written behind those that are there.
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + initialized }, count - initialized, off_t(offset + initialized))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { return }
        initialized += got
      }
      isWhole = true
    }
    return isWhole ? bytes : nil
  }

  /// A page size as files tell it, where it is one.
  static func pageBytes(_ told: UInt32) -> Int? {
    let size = told == 1 ? 65536 : Int(told)
    return size >= 512 && size <= 65536 && size & (size - 1) == 0 ? size : nil
  }
}

extension Array<UInt8> {
  /// Big-endian numbers, as SQLite's files have them; the caller knows that they are inside.
  func bigEndian32(at offset: Int) -> UInt32 {
    self[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  func bigEndian16(at offset: Int) -> Int { Int(self[offset]) << 8 | Int(self[offset + 1]) }
}
