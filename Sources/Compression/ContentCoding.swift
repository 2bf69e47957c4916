// Compression: bodies made small and whole again, by libdeflate (gzip) and libzstd.
//
// Owns: the names of content codings, bounded decompression of what peers send, compression of what is sent.
// Never: I/O, streams, state that outlives one body. Input and output are whole bodies, since OTLP's are bounded.
// A peer's sizes are hints only: nothing is allocated past the caller's limit, and what exceeds it is a fault.

/// How a body is encoded on the wire: HTTP's `Content-Encoding`, gRPC's `grpc-encoding`.
public enum ContentCoding: Sendable, Hashable, CaseIterable {
  case identity
  case gzip
  case zstd

  /// The coding a header names: one token of any case, `x-gzip` included (RFC 9110, 8.4.1); an empty header is
  /// `identity`. `nil` for any other, a list of codings too.
  public init?(token: some Collection<UInt8>) {
    var name: [UInt8] = []
    for byte in token where byte != 0x20 && byte != 0x09 {
      guard name.count < 8 else { return nil }
      name.append((0x41...0x5a).contains(byte) ? byte | 0x20 : byte)
    }
    switch String(decoding: name, as: UTF8.self) {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "zstd": self = .zstd
    default: return nil
    }
  }

  /// The token as it is sent.
  public var token: String {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    case .zstd: "zstd"
    }
  }
}
