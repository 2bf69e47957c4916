public import Telemetry

/// What a receiver takes by HTTP: under which paths, in which formats, and how it answers.
public struct HTTPEndpoint: Sendable {
  /// A path with the formats it takes.
  struct Route: Sendable {
    let path: String
    /// Content types in lower case.
    let formats: [(contentType: String, format: BodyFormat)]
    /// What a body without a content type is.
    var untyped: BodyFormat?
  }

  /// Under which name spans are counted.
  public let receiver: ReceiverKind
  let routes: [Route]

  /// Where OTLP is posted.
  public static let otlp = HTTPEndpoint(
    receiver: .otlpHTTP,
    routes: [
      Route(path: "/v1/traces", formats: [("application/x-protobuf", .otlp), ("application/json", .otlpJSON)])
    ])

  /// Where Zipkin's spans are posted (Zipkin API, v1 and v2).
  public static let zipkin = HTTPEndpoint(
    receiver: .zipkin,
    routes: [
      Route(
        path: "/api/v2/spans",
        formats: [("application/json", .zipkinJSON), ("application/x-protobuf", .zipkinProtobuf)],
        untyped: .zipkinJSON),
      Route(path: "/api/v1/spans", formats: [("application/json", .zipkinV1JSON)], untyped: .zipkinV1JSON),
    ])

  /// Where Jaeger's clients post thrift (Jaeger, "Deployment", collector's port 14268).
  public static let jaegerThrift = HTTPEndpoint(
    receiver: .jaegerThriftHTTP,
    routes: [
      Route(
        path: "/api/traces",
        formats: [("application/x-thrift", .jaegerThrift), ("application/vnd.apache.thrift.binary", .jaegerThrift)])
    ])

  /// The route of a request's target.
  func route(of target: String) -> Route? {
    if let route = routes.first(where: { $0.path == target }) { return route }
    let path = Self.path(of: target)
    return routes.first { $0.path == path }
  }

  /// The path of a request's target without its query. A target may be a whole URI, which proxies send and every
  /// server has to take (RFC 9112, 3.2.2).
  static func path(of target: String) -> Substring {
    var path = target[...]
    let scheme = ["http://", "https://"].first { path.prefix($0.count).lowercased() == $0 }
    if let scheme { path = path.dropFirst(scheme.count).drop { $0 != "/" && $0 != "?" } }
    return path.prefix { $0 != "?" }
  }

  /// What a request is told whose path is unknown.
  var unknownPath: String {
    "unknown path; traces go to \(routes.map(\.path).joined(separator: " or "))"
  }
}

extension HTTPEndpoint.Route {
  /// The format that a content type names; its parameters are of no account.
  func format(_ contentType: String?) -> BodyFormat? {
    guard let contentType else { return untyped }
    let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    return formats.first { $0.contentType == type }?.format
  }

  /// What a request is told whose content type is unknown.
  var unknownType: String { "the content type is \(formats.map(\.contentType).joined(separator: " or "))" }
}
