/// A page of a table's tree, decoded from its bytes without SQLite.
struct TablePage {
  private let bytes: [UInt8]
  private let cells: Range<Int>
  let isLeaf: Bool
  /// An inner page's last child.
  private let lastChild: UInt32

  /// Nil where the bytes are no such page.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 512, bytes[0] == 0x0d || bytes[0] == 0x05 else { return nil }
    isLeaf = bytes[0] == 0x0d
    lastChild = isLeaf ? 0 : bytes.bigEndian32(at: 8)
    let start = isLeaf ? 8 : 12
    let count = bytes.bigEndian16(at: 3)
    guard start + 2 * count <= bytes.count else { return nil }
    self.bytes = bytes
    cells = start..<start + 2 * count
  }

  /// The children of an inner page.
  var children: [UInt32] {
    guard !isLeaf else { return [] }
    return offsets.compactMap { $0 + 4 <= bytes.count ? bytes.bigEndian32(at: $0) : nil } + [lastChild]
  }

  private var offsets: [Int] {
    stride(from: cells.lowerBound, to: cells.upperBound, by: 2).map { bytes.bigEndian16(at: $0) }
  }

  /// The rows of a leaf; nil stands for one that cannot be read. Long ones go on in other pages.
  func rows(in image: PageImage) -> [TableRow?] { offsets.map { row(at: $0, image) } }

  private func row(at offset: Int, _ image: PageImage) -> TableRow? {
    var at = offset
    guard let total = bytes.varint(&at), let key = bytes.varint(&at) else { return nil }
    guard total >= 0, total <= Int64(image.pageCount) * Int64(bytes.count) else { return nil }
    let count = Int(total)
    let local = Self.localBytes(count, of: bytes.count)
    guard at + local <= bytes.count else { return nil }
    var payload = Array(bytes[at..<at + local])
    if local < count {
      guard at + local + 4 <= bytes.count else { return nil }
      var next = bytes.bigEndian32(at: at + local)
      payload.reserveCapacity(count)
      while payload.count < count {
        guard let page = image.page(next) else { return nil }
        next = page.bigEndian32(at: 0)
        payload += page[4..<4 + min(page.count - 4, count - payload.count)]
      }
    }
    return TableRow(key: key, payload)
  }

  /// How much of a row of so many bytes lies on its leaf.
  private static func localBytes(_ count: Int, of page: Int) -> Int {
    if count <= page - 35 { return count }
    let least = (page - 12) * 32 / 255 - 23
    let fitting = least + (count - least) % (page - 4)
    return fitting <= page - 35 ? fitting : least
  }
}

/// A row as SQLite stores it: columns of null, integers, text and bytes. Floats are none of ours.
struct TableRow {
  enum Column: Equatable {
    case null
    case integer(Int64)
    case bytes(Range<Int>)
  }

  let key: Int64
  let columns: [Column]
  private let bytes: [UInt8]

  init?(key: Int64, _ bytes: [UInt8]) {
    var at = 0
    guard let headerBytes = bytes.varint(&at), headerBytes <= Int64(bytes.count) else { return nil }
    var value = Int(headerBytes)
    var columns: [Column] = []
    while at < Int(headerBytes) {
      guard let type = bytes.varint(&at), columns.count < 16,
        let column = Self.column(type, bytes, &value)
      else { return nil }
      columns.append(column)
    }
    self.key = key
    self.columns = columns
    self.bytes = bytes
  }

  private static func column(_ type: Int64, _ bytes: [UInt8], _ at: inout Int) -> Column? {
    let lengths = [0, 1, 2, 3, 4, 6, 8]
    switch type {
    case 0: return .null
    case 8, 9: return .integer(type - 8)
    case 1...6:
      let length = lengths[Int(type)]
      guard at + length <= bytes.count else { return nil }
      defer { at += length }
      let first = Int64(Int8(bitPattern: bytes[at]))
      return .integer(bytes[at + 1..<at + length].reduce(first) { $0 << 8 | Int64($1) })
    case 12...:
      let length = (type - 12) / 2
      guard length <= Int64(bytes.count - at) else { return nil }
      defer { at += Int(length) }
      return .bytes(at..<at + Int(length))
    default: return nil
    }
  }

  func integer(_ index: Int) -> Int64? {
    if case .integer(let value) = columns[index] { value } else { nil }
  }

  func bytes(_ index: Int) -> [UInt8]? {
    if case .bytes(let range) = columns[index] { Array(bytes[range]) } else { nil }
  }
}

extension Array<UInt8> {
  /// SQLite's number of one to nine bytes; moves behind it.
  func varint(_ at: inout Int) -> Int64? {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard at < count else { return nil }
      let byte = self[at]
      at += 1
      if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
      value = value << 7 | UInt64(byte & 0x7f)
      if byte < 0x80 { return Int64(bitPattern: value) }
    }
    return nil
  }
}
