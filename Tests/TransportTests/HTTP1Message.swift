/// An HTTP/1.1 response as a client reads it.
struct HTTP1Message: Equatable {
  var status: Int
  var headers: [String: String]
  var body: String

  /// Reads all whole responses; to a HEAD there is no body. `nil` in the end: bytes are left over.
  static func all(in bytes: [UInt8], isHead: Bool = false) -> [HTTP1Message] {
    var messages: [HTTP1Message] = []
    var rest = bytes[...]
    while let (message, next) = one(in: rest, isHead: isHead) {
      messages.append(message)
      rest = next
    }
    return messages
  }

  private static func one(in bytes: ArraySlice<UInt8>, isHead: Bool) -> (HTTP1Message, ArraySlice<UInt8>)? {
    let gap = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: gap) }) else { return nil }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    var message = HTTP1Message(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: [:], body: "")
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      message.headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.lowercased()
    }
    let body = bytes[(end + 4)...]
    let count = isHead || message.status == 100 ? 0 : Int(message.headers["content-length"] ?? "0") ?? 0
    guard body.count >= count else { return nil }
    message.body = String(decoding: body.prefix(count), as: UTF8.self)
    return (message, body.dropFirst(count))
  }
}

extension RawPeer.Wire {
  var messages: [HTTP1Message] { HTTP1Message.all(in: bytes) }
}

/// A POST as text.
func post(_ path: String, _ body: String = "", headers: String = "") -> String {
  "POST \(path) HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
}
