import Tenancy
import Testing

/// What Grafana Mimir's documentation ("About tenant IDs") says of names, case by case.
@Suite struct TenantNameTests {
  private func read(_ text: String) -> String? { TenantName.read(Array(text.utf8)) }

  @Test(arguments: [
    "a", "team-a", "Team_A", "1", "0123", "!-_.*'()", "a.b", "...", ".a", String(repeating: "x", count: 150),
    "__overflow__",
  ]) func names(_ text: String) { #expect(read(text) == text) }

  @Test(arguments: [
    "", ".", "..", String(repeating: "x", count: 151), "a b", " a", "a ", "a/b", "a\\b", "a|b", "a,b", "a:b", "a\nb",
    "a\0", "ä", "名", "a\"", "a@b", "a+b", "a=b", "~", "\u{7f}",
  ]) func others(_ text: String) { #expect(read(text) == nil) }

  /// Every byte by itself.
  @Test func bytes() {
    let allowed = Set("!-_.*'()abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    for byte in UInt8.min...UInt8.max {
      #expect((TenantName.read([0x61, byte]) != nil) == allowed.contains(byte), "\(byte)")
    }
  }
}
