internal import Delivery
internal import Foundation
internal import HTTP2Engine

extension ClientResponse {
  /// When the server wants to be tried again (RFC 9110, 10.2.3): seconds, or a date.
  func retryAfter(now: Date = Date()) -> Duration? {
    guard let text = fields.text("retry-after")?.trimmingCharacters(in: .whitespaces), text.utf8.count <= 64 else {
      return nil
    }
    if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.isEmpty {
      return .seconds(min(Int64(text) ?? .max, Int64(Int32.max)))
    }
    guard let date = Self.date(text) else { return nil }
    return .seconds(min(max(0, date.timeIntervalSince(now)), Double(Int32.max)))
  }

  /// A date as RFC 9110, 5.6.7, prefers it.
  private static func date(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.date(from: text)
  }
}

extension DeliveryAnswer {
  /// What a response over plain HTTP says of the whole batch; `rejected` reads the body of one that succeeded.
  init(_ result: Result<ClientResponse, ClientFailure>, rejected: (ClientResponse) -> Int64 = { _ in 0 }) {
    switch result {
    case .failure(let failure): self.init(failure)
    case .success(let response):
      let isDone = (200...299).contains(response.status)
      self = .http(
        status: response.status, retryAfter: isDone ? nil : response.retryAfter(),
        rejectedSpans: isDone ? rejected(response) : 0)
    }
  }
}
