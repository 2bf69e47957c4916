import Compression

/// Bodies that other software compressed; each stands for `text` unless it says otherwise.
enum Vectors {
  /// "federated spans, " six times.
  static let text = [UInt8](String(repeating: "federated spans, ", count: 6).utf8)

  /// Python: gzip.compress(text, 9, mtime=0)
  static let gzip = hex(
    "1f8b08000000000002034b4b4d492d4a2c494d51282e48cc2bd65148a385000060d0a9f866000000")
  /// Python: gzip.GzipFile('name.txt', 'wb', 9, mtime=1), which writes the name into the header.
  static let gzipWithName = hex(
    "1f8b08080100000002ff6e616d652e747874004b4b4d492d4a2c494d51282e48cc2bd65148a385000060d0a9f866000000")
  /// Python: gzip.compress(b"stored", 0, mtime=0)
  static let gzipStored = hex("1f8b0800000000000403010600f9ff73746f7265640bf9435606000000")
  /// Python: gzip.compress(bytes(65536), 9, mtime=0)
  static let gzipZeros = hex(
    "1f8b0800000000000203edc101010000008090feafee080a" + String(repeating: "00", count: 63) + "6aeb8e97d700000100")

  /// zstd -3 -c < text: no content size, with checksum.
  static let zstdStream = hex("28b52ffd0458c5000088666564657261746564207370616e732c20010085a6b904b37a328e")
  /// zstd -19 --no-check -c text.bin: content size, single segment.
  static let zstdFile = hex("28b52ffd2066c5000088666564657261746564207370616e732c20010085a6b904")
  /// zstd --long=27 -19 -c < text: a window of 128 MiB.
  static let zstdLongWindow = hex("28b52ffd0488c5000088666564657261746564207370616e732c20010085a6b904b37a328e")
  /// Python zstandard: ZstdCompressor(write_content_size=False).compress(text)
  static let zstdPython = hex("28b52ffd0000c5000088666564657261746564207370616e732c20010085a6b904")
  /// zstd -19 -c of 1 MiB of zeros.
  static let zstdZeros = hex(
    "28b52ffd04684c000008000100fcff39100202001000020010000200100002001000020010000200100003001000f13e16e1")
  /// A skippable frame of three bytes, by RFC 8878, 3.1.2.
  static let zstdSkippable = hex("532a4d1803000000aabbcc")

  static let whole: [(ContentCoding, [UInt8])] = [
    (.gzip, gzip), (.gzip, gzipWithName), (.zstd, zstdStream), (.zstd, zstdFile), (.zstd, zstdLongWindow),
    (.zstd, zstdPython),
  ]

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
