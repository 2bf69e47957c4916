import Testing
import TraceWire

@Suite("Attribute keys")
struct AttributeKeysTests {
  private func role(_ key: String, _ keys: AttributeKeys) -> AttributeKeys.BaggageRole {
    // Other bytes around the key: a look-up must not look past its ends.
    let bytes = Array("baggage.".utf8) + Array(key.utf8) + Array("xxxxxxxx".utf8)
    return keys.baggageRole(of: ByteRange(8, 8 + key.utf8.count), in: bytes.span.bytes)
  }

  @Test("without configuration nothing is baggage")
  func nothing() {
    for key in ["baggage.user", "", "tenant", "service.name"] { #expect(role(key, AttributeKeys()) == .none) }
    #expect(role("anything", AttributeKeys(prefix: "")) == .none)
  }

  @Test("a prefix matches what begins with it", arguments: ["b", "bag.", "baggage.", "app.baggage.from.afar."])
  func prefix(prefix: String) {
    let keys = AttributeKeys(prefix: prefix)
    #expect(role(prefix, keys) == .prefixed(prefix.utf8.count))
    #expect(role(prefix + "user", keys) == .prefixed(prefix.utf8.count))
    #expect(role(String(prefix.dropLast()), keys) == .none)
    #expect(role(String(prefix.dropLast()) + "\u{1}and more of it", keys) == .none)
    #expect(role("X" + prefix, keys) == .none)
  }

  @Test("listed keys match as a whole, whatever their length")
  func listed() {
    let lengths = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 18, 24, 62, 63, 64, 65, 200]
    let names = lengths.map { String((0..<$0).map { index in Character(UnicodeScalar(UInt8(97 + index % 26))) }) }
    let keys = AttributeKeys(keys: names)
    for name in names {
      #expect(role(name, keys) == .listed)
      for position in [0, name.count / 2, name.count - 1] {
        var changed = Array(name)
        changed[position] = "_"
        #expect(role(String(changed), keys) == .none, "\(name.count) bytes, changed at \(position)")
      }
    }
    #expect(role("", keys) == .none)
  }

  @Test("a header attribute is one before it is anything else")
  func header() {
    let keys = AttributeKeys(prefix: "http.", keys: ["baggage"], headerAttributes: ["http.request.header.baggage"])
    #expect(role("http.request.header.baggage", keys) == .header)
    #expect(role("http.request.header.cookie1", keys) == .prefixed(5))
    #expect(role("baggage", keys) == .listed)
  }
}
