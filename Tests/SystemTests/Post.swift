import Foundation
import SwiftProtobuf
import Testing

/// What a receiver said to one request.
struct PostAnswer: Equatable {
  var status: Int
  var bodyBytes: Int
}

extension LongspanProcess {
  /// Posts OTLP/HTTP requests one after the other over one connection by curl; what was said to each.
  func answers(to bodies: [Data]) async throws -> [PostAnswer] {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = "http://\(try await address("otlp_http"))/v1/traces"
    var options = ""
    for (number, body) in bodies.enumerated() {
      let file = folder.appending(path: "\(number)").path
      try body.write(to: URL(filePath: file))
      options += """
        \(number == 0 ? "" : "next\n")url = "\(url)"
        data-binary = "@\(file)"
        header = "content-type: application/x-protobuf"
        output = "/dev/null"
        write-out = "%{http_code} %{size_download}\\n"
        silent
        show-error

        """
    }
    let file = folder.appending(path: "curl").path
    try options.write(toFile: file, atomically: true, encoding: .utf8)
    let run = try await Command.run("curl", ["-K", file])
    #expect(run.status == 0, "\(run.errors)\n\(logText)")
    return run.lines.map { line in
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      return PostAnswer(status: numbers.first ?? 0, bodyBytes: numbers.last ?? -1)
    }
  }

  /// Posts requests of which all must be accepted whole.
  func post(_ requests: [OTLPRequest], location: SourceLocation = #_sourceLocation) async throws {
    let answers = try await answers(to: requests.map { try $0.serializedBytes() })
    let whole = [PostAnswer](repeating: PostAnswer(status: 200, bodyBytes: 0), count: requests.count)
    #expect(answers == whole, sourceLocation: location)
  }

  /// Posts one request that must be accepted whole.
  func post(_ emissions: Emission..., location: SourceLocation = #_sourceLocation) async throws {
    try await post([OTLPRequest(emissions)], location: location)
  }
}
