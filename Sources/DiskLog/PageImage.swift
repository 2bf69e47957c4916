/// The pages of a damaged database: the file with what its WAL says laid over it, and what the file's own map tells about
/// each page. The format: sqlite.org/fileformat2.html.
final class PageImage {
  let pageBytes: Int
  let pageCount: UInt32
  let wal: WALImage
  private let file: PageFile
  private let walFile: PageFile?
  private var map: (number: UInt32, bytes: [UInt8])?

  /// What the pointer map says a page is for.
  enum Role {
    case tree, free, overflow, unknown
  }

  init?(_ path: String) {
    guard let file = PageFile(path) else { return nil }
    self.file = file
    walFile = PageFile(path + "-wal")
    wal = walFile.map { WALImage($0) } ?? WALImage()
    // A page size that is not ours can only be damage.
    pageBytes = wal.pageCount > 0 ? wal.pageBytes : LogSchema.pageBytes
    let inFile = UInt32(clamping: file.length / pageBytes)
    pageCount = max(wal.pageCount, inFile)
  }

  func page(_ number: UInt32) -> [UInt8]? {
    if let offset = wal.offsets[number] { return walFile?.read(at: offset, count: pageBytes) }
    guard number > 0 else { return nil }
    return file.read(at: Int(number - 1) * pageBytes, count: pageBytes)
  }

  /// The page SQLite never uses: the locks' bytes are in it.
  private var lockPage: UInt32 { UInt32(0x4000_0000 / pageBytes) + 1 }

  private func mapPage(of number: UInt32) -> UInt32 {
    let perMap = UInt32(pageBytes / 5 + 1)
    let page = (number - 2) / perMap * perMap + 2
    return page == lockPage ? page + 1 : page
  }

  func role(of number: UInt32) -> Role {
    guard number > 2, number != lockPage else { return .overflow }
    let mapNumber = mapPage(of: number)
    guard number > mapNumber else { return .overflow }
    if map?.number != mapNumber { map = page(mapNumber).map { (mapNumber, $0) } }
    let offset = 5 * Int(number - mapNumber - 1)
    guard let map, map.number == mapNumber, offset + 5 <= pageBytes else { return .unknown }
    return switch map.bytes[offset] {
    case 1, 5: .tree
    case 2: .free
    case 3, 4: .overflow
    default: .unknown
    }
  }
}
