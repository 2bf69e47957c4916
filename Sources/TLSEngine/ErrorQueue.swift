import COpenSSL

/// The calling thread's queue of OpenSSL errors. It outlives the call that filled it and would be taken for the next
/// call's failure, so every use of OpenSSL empties it before or after.
enum ErrorQueue {
  /// Forgets all errors.
  static func clear() { ERR_clear_error() }

  /// The first error, which is the cause; the rest is forgotten. `0`: none.
  static func take() -> UInt {
    let code = ERR_get_error()
    ERR_clear_error()
    return code
  }

  /// The most recent error; the rest is forgotten. `0`: none.
  static func takeLast() -> UInt {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    return code
  }

  /// OpenSSL's fixed text for an error; it never holds data.
  static func text(_ code: UInt) -> String {
    guard let text = ERR_reason_error_string(code) else { return "unknown error" }
    return String(cString: text)
  }
}
