internal import Compression
internal import Delivery

/// Which coding the requests of one lane use. A server that does not know a coding refuses the request with an error
/// that sounds final though it says nothing of the spans. So until a peer has taken one request with a coding, such an
/// answer is held against the coding: the same spans are sent again with the next one that more servers know.
struct CodingChoice {
  private(set) var current: ContentCoding
  private var isProven = false

  init(_ preferred: ContentCoding) { current = preferred }

  /// A connection was made: who is behind it may be somebody else.
  mutating func connected() { isProven = false }

  /// Looks at the answer to a request. Whether it says no more than that the coding is not known there, so that the
  /// request is to be sent again with what `current` is then.
  mutating func isToBlame(for answer: DeliveryAnswer, to coding: ContentCoding) -> Bool {
    switch answer {
    case .grpc(0, _, _), .http(200...299, _, _):
      if coding == current { isProven = true }
      return false
    // UNIMPLEMENTED is what the gRPC specification asks for, INTERNAL what grpc's C core says; 415 is HTTP's word.
    case .grpc(12, _, _), .grpc(13, _, _), .http(415, _, _):
      guard coding == current else { return true }
      guard !isProven, let next = coding.nextBetterKnown else { return false }
      current = next
      return true
    default: return false
    }
  }
}

extension ContentCoding {
  /// The coding to try where this one is not known.
  fileprivate var nextBetterKnown: ContentCoding? {
    switch self {
    case .zstd: .gzip
    case .gzip: .identity
    case .identity: nil
    }
  }
}
