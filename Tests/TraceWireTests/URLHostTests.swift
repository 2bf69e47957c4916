import TestKit
import Testing

@testable import TraceWire

@Suite("Host of a URL")
struct URLHostTests {
  @Test(
    "is what stands between scheme, user and port",
    arguments: [
      ("https://example.com/path", "example.com"), ("https://example.com", "example.com"),
      ("http://example.com:8080", "example.com"), ("http://u:p@example.com:8080/", "example.com"),
      ("http://a@b@example.com", "example.com"), ("https://example.com?q=a@b", "example.com"),
      ("https://example.com#a@b:c", "example.com"), ("https://[::1]:443/x", "::1"), ("https://u@[fe80::1]", "fe80::1"),
      ("https://[::1", ""), ("https://[]", ""), ("https:///x", ""), ("https://:80/", ""), ("https://u@", ""),
      ("mailto:someone@example.com", ""), ("/relative://x", ""), ("://x", ""), ("https:/", ""), ("https:", ""),
      ("", ""), ("example.com", ""),
    ])
  func hosts(url: String, host: String) {
    // A part of a longer text: the search must end where the URL does.
    let bytes = Array("//\(url)a]:/".utf8)
    let found = URLHost.find(ByteRange(2, 2 + url.utf8.count), in: bytes.span.bytes)
    #expect(bytes.text(found) == host)
  }
}
