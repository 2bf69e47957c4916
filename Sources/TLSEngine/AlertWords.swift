import COpenSSL

/// Words for the alerts by which peers refuse. Most are OpenSSL's; those about certificates also say whose it is,
/// and OpenSSL 3.0 has no words for the youngest.
enum AlertWords {
  /// Words for an alert's number (RFC 8446, section 6).
  static func text(_ alert: UInt8) -> String {
    let words = String(cString: SSL_alert_desc_string_long(Int32(alert)))
    return switch alert {
    case 42: "\(words): the certificate that this side showed was not accepted"
    case 43: "\(words): the certificate that this side showed is not for this use"
    case 45: "\(words): the certificate that this side showed has expired"
    case 48: "unknown CA: the peer does not trust who issued the certificate that this side showed"
    case 116: "certificate required: the peer demands a certificate and this side showed none"
    case 120: "no application protocol: the peer does not speak the protocols that this side offers"
    default: words == "unknown" ? "alert \(alert)" : words
    }
  }
}
