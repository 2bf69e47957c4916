/// Which pages of a damaged file to look at.
struct SalvagePages {
  /// Pages that are or may be leaves, by number, and whether they are known to be.
  private(set) var leaves: [(number: UInt32, isSure: Bool)] = []
  private var reached: Set<UInt32> = []
  private var isWhole = true
  /// Where the tables' trees begin: a file is always made the same way.
  static let roots: ClosedRange<UInt32> = 3...5

  init(_ image: PageImage) {
    follow(Array(Self.roots), image)
    let all = stride(from: Self.roots.lowerBound, through: image.pageCount, by: 1)
    for number in all where image.role(of: number) == .tree && !reached.contains(number) {
      // The tree does not lead to a page that is in use.
      isWhole = false
      follow([number], image)
    }
    for number in all {
      let role = image.role(of: number)
      if reached.contains(number) {
        leaves.append((number, true))
      } else if !isWhole, role == .unknown {
        leaves.append((number, false))
      }
    }
  }

  /// Follows trees down from some pages.
  private mutating func follow(_ roots: [UInt32], _ image: PageImage) {
    var open = roots
    while let number = open.popLast() {
      guard number >= Self.roots.lowerBound, number <= image.pageCount, reached.insert(number).inserted else {
        isWhole = false
        continue
      }
      let role = image.role(of: number)
      guard let page = image.page(number).flatMap({ TablePage($0) }), role == .tree || role == .unknown else {
        isWhole = false
        continue
      }
      open += page.children
    }
  }
}
