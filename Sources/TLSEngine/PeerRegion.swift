import COpenSSL

/// What a certificate says about the region its holder speaks for.
///
/// The region is the second segment of a SPIFFE ID `spiffe://TRUST-DOMAIN/region/REGION` among the certificate's URI
/// names. A certificate has at most one SPIFFE ID (X.509-SVID, section 2). A holder without a region may deliver any
/// region's spans, so a certificate that means to name one but cannot be read must not pass for one without: it is
/// `.invalid` and its handshake fails.
enum PeerRegion: Equatable {
  /// No SPIFFE ID, or one that is not about a region.
  case none
  /// The region that is named.
  case region(String)
  /// More than one SPIFFE ID, one that is not well-formed, or a region path that is not exactly `/region/REGION`.
  case invalid

  /// Reads a certificate's URI names.
  init(certificate: OpaquePointer) {
    var position: Int32 = -1
    let extensionValue = X509_get_ext_d2i(certificate, NID_subject_alt_name, &position, nil)
    defer { ErrorQueue.clear() }
    guard let extensionValue else {
      // -1: no such extension; anything else: twice there or not decodable.
      self = position == -1 ? .none : .invalid
      return
    }
    // SAFETY: the stack and what it holds are ours until GENERAL_NAMES_free; names are copied out before.
    let names = OpaquePointer(extensionValue)
    defer { GENERAL_NAMES_free(names) }
    var uris: [[UInt8]] = []
    for index in 0..<max(0, OPENSSL_sk_num(names)) {
      guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee,
        name.type == GEN_URI
      else { continue }
      let text = UnsafeRawBufferPointer(
        start: ASN1_STRING_get0_data(name.d.ia5), count: Int(ASN1_STRING_length(name.d.ia5)))
      uris.append([UInt8](text))
    }
    self.init(uris: uris)
  }

  /// Reads URI names as bytes.
  init(uris: [[UInt8]]) {
    // The scheme is compared without case so that no spelling of it slips past as "not a SPIFFE ID".
    let identities = uris.filter { uri in
      let scheme = Array("spiffe:".utf8)
      return uri.count >= scheme.count && zip(uri, scheme).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
    guard let identity = identities.first else {
      self = .none
      return
    }
    self = identities.count == 1 ? Self.parse(identity) : .invalid
  }

  /// The longest SPIFFE ID (SPIFFE-ID, section 2.3) in bytes.
  private static let byteCountMax = 2048

  private static func parse(_ identity: [UInt8]) -> PeerRegion {
    let prefix = Array("spiffe://".utf8)
    guard identity.count <= byteCountMax, identity.starts(with: prefix) else { return .invalid }
    let parts = identity.dropFirst(prefix.count).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.allSatisfy(isSegment), let domain = parts.first, domain.count <= 255 else { return .invalid }
    guard parts.count > 1, parts[1].elementsEqual("region".utf8) else { return .none }
    guard parts.count == 3 else { return .invalid }
    return .region(String(decoding: parts[2], as: UTF8.self))
  }

  /// SPIFFE-ID, sections 2.1 and 2.2: letters, digits, dot, hyphen, underscore; neither empty nor a dot segment.
  private static func isSegment(_ segment: ArraySlice<UInt8>) -> Bool {
    guard !segment.isEmpty, !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else { return false }
    return segment.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
