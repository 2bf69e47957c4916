import Foundation
import Testing

/// One HTTP request by curl, and what it brought.
struct Curl {
  /// How HTTP is spoken.
  enum Version: String, CaseIterable, CustomTestStringConvertible {
    case http1 = "--http1.1"
    case http2 = "--http2-prior-knowledge"

    var testDescription: String { self == .http1 ? "HTTP/1.1" : "h2c" }
  }

  var status = 0
  var fields: [String: String] = [:]
  var body = Data()
  /// curl's own exit code: 0 where there was a whole answer.
  var exit: Int32 = 0
  var errors = ""

  subscript(field: String) -> String? { fields[field] }

  /// Sends a request; header fields are given as `name: value`.
  static func send(
    _ url: String, _ version: Version = .http1, method: String? = nil, fields: [String] = [], body: Data? = nil,
    more: [String] = []
  ) async throws -> Curl {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let head = folder.appending(path: "head")
    var arguments = ["-sS", "--max-time", "20", version.rawValue, "-D", head.path] + more
    if let method { arguments += ["-X", method] }
    for field in fields { arguments += ["-H", field] }
    if body != nil { arguments += ["--data-binary", "@-"] }
    let run = try await Command.run("curl", arguments + [url], input: body)
    var answer = Curl()
    answer.body = run.output
    answer.exit = run.status
    answer.errors = run.errors
    answer.readHead((try? String(contentsOf: head, encoding: .utf8)) ?? "")
    return answer
  }

  /// One gRPC call, frame by frame as the caller wants it.
  static func gRPC(
    _ address: String, path: String = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    fields: [String] = [], frame: Data?
  ) async throws -> Curl {
    try await send(
      "http://\(address)\(path)", .http2, method: "POST",
      fields: ["content-type: application/grpc", "te: trailers"] + fields,
      body: frame)
  }

  /// A message with gRPC's prefix.
  static func frame(_ message: Data, compressed: Bool = false) -> Data {
    let length = UInt32(message.count).bigEndian
    return Data([compressed ? 1 : 0]) + withUnsafeBytes(of: length) { Data($0) } + message
  }

  /// The status of a gRPC answer; `nil` where there is none.
  var gRPCStatus: Int? { fields["grpc-status"].flatMap { Int($0) } }

  /// Keeps the last head and its trailers.
  private mutating func readHead(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("HTTP/") {
        fields = [:]
        status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      } else if let colon = line.firstIndex(of: ":") {
        fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
    }
  }
}

/// `google.rpc.Status` as an error's body has it, read without any of the product's code.
struct RPCStatusBody: Equatable {
  var code: Int
  var message: String

  /// Reads protobuf in the one order that encoders write: the code, then the message.
  init?(protobuf body: Data) {
    let bytes = [UInt8](body)
    guard bytes.count > 4, bytes[0] == 0x08, bytes[1] < 0x80, bytes[2] == 0x12, Int(bytes[3]) == bytes.count - 4,
      let text = String(validating: bytes[4...], as: UTF8.self)
    else { return nil }
    (code, message) = (Int(bytes[1]), text)
  }

  init?(json body: Data) {
    guard let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any],
      let code = object["code"] as? Int, let message = object["message"] as? String
    else { return nil }
    (self.code, self.message) = (code, message)
  }
}
