internal import TraceWire

/// All redactors of one loop: those for everything, one after the other, and those of routes.
struct Redactors: Sendable {
  private var always: [Redactor]
  /// By the routes' numbers.
  private var ofRoutes: [Redactor?]

  init(_ rules: [RedactionRules], routes: [RedactionRules?]) {
    always = rules.map { Redactor($0) }
    ofRoutes = routes.map { $0.map { Redactor($0) } }
  }

  /// Whether nothing is redacted on any route.
  var isEmpty: Bool { always.isEmpty && ofRoutes.allSatisfy { $0 == nil } }

  /// What all came to.
  var total: Redactor.Counts {
    var sum = Redactor.Counts()
    for other in always.map(\.total) + ofRoutes.compactMap({ $0?.total }) {
      sum.removed &+= other.removed
      sum.masked &+= other.masked
    }
    return sum
  }

  /// Hashes and summaries that there was no room for.
  var refused: Int { ofRoutes.reduce(always.reduce(0) { $0 &+ $1.refused }) { $0 &+ ($1?.refused ?? 0) } }

  /// Begins with another request.
  mutating func begin(requestBytes: Int) {
    for index in always.indices { always[index].begin(requestBytes: requestBytes) }
    for index in ofRoutes.indices { ofRoutes[index]?.begin(requestBytes: requestBytes) }
  }

  /// Redacts a list of attributes, also as the routes with these numbers want it; a negative one is none.
  mutating func run(on list: inout AttributeList, in bytes: RawSpan, routes: some Sequence<Int>) throws(WireFault) {
    for index in always.indices { try always[index].run(on: &list, in: bytes) }
    for route in routes where route >= 0 { try ofRoutes[route]?.run(on: &list, in: bytes) }
  }
}
