/// What a write-ahead log says about pages, read without SQLite, which stops at the first frame that is damaged.
///
/// A frame's checksum goes on from the one before it. Here each frame is held against the checksum its neighbour carries,
/// so that a damaged frame does not take those behind it along. The format: sqlite.org/fileformat2.html#walformat.
struct WALImage {
  /// Where in the WAL a page's last committed bytes lie.
  private(set) var offsets: [UInt32: Int] = [:]
  /// The database's length in pages after the last commit; 0 where there is none.
  private(set) var pageCount: UInt32 = 0
  private(set) var pageBytes = 0
  /// Frames that were damaged before the last commit.
  private(set) var damagedFrames = 0
  /// Whether SQLite would pass over commits that were synchronized: more than one lies behind a damaged frame. One may be
  /// what the machine was writing when its power failed.
  private(set) var isDamaged = false

  private static let headerBytes = 32
  private static let frameHeaderBytes = 24

  init() {}

  init(_ file: PageFile) {
    guard let header = file.read(at: 0, count: Self.headerBytes) else { return }
    let magic = header.bigEndian32(at: 0)
    guard magic & ~1 == 0x377f_0682, let size = PageFile.pageBytes(header.bigEndian32(at: 8)) else { return }
    pageBytes = size
    var chain = WALChecksum(isBigEndian: magic & 1 == 1)
    chain.add(header[..<24])
    guard chain.first == header.bigEndian32(at: 24), chain.second == header.bigEndian32(at: 28) else { return }
    readFrames(file, salt: header[16..<24], chain)
  }

  private mutating func readFrames(_ file: PageFile, salt: ArraySlice<UInt8>, _ start: WALChecksum) {
    var chain = start
    var open: [UInt32: Int] = [:]
    var commitsBehindDamage = 0
    var damaged = 0
    var offset = Self.headerBytes
    while let frame = file.read(at: offset, count: Self.frameHeaderBytes + pageBytes), frame[8..<16] == salt {
      chain.add(frame[..<8])
      chain.add(frame[Self.frameHeaderBytes...])
      let isSound = chain.first == frame.bigEndian32(at: 16) && chain.second == frame.bigEndian32(at: 20)
      if isSound {
        open[frame.bigEndian32(at: 0)] = offset + Self.frameHeaderBytes
      } else {
        damaged += 1
        chain.first = frame.bigEndian32(at: 16)
        chain.second = frame.bigEndian32(at: 20)
      }
      let size = frame.bigEndian32(at: 4)
      if size != 0 {
        if damaged > 0 { commitsBehindDamage += 1 }
        // A single one may never have been answered; the second says that both were.
        if damaged == 0 || commitsBehindDamage > 1 {
          offsets.merge(open) { $1 }
          open = [:]
          if isSound { pageCount = size }
          damagedFrames = damaged
        }
      }
      offset += Self.frameHeaderBytes + pageBytes
    }
    isDamaged = commitsBehindDamage > 1
  }
}

/// The WAL's checksum: two sums over pairs of 32-bit words.
struct WALChecksum {
  var first: UInt32 = 0
  var second: UInt32 = 0
  let isBigEndian: Bool

  mutating func add(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count & ~7, by: 8) {
        first = first &+ word(bytes, offset) &+ second
        second = second &+ word(bytes, offset + 4) &+ first
      }
    }
  }

  private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
  }
}
