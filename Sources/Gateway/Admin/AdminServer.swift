internal import Hummingbird
internal import Intake
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization
internal import Telemetry

/// What the admin endpoint asks of a role.
protocol AdminSource: Sendable {
  /// Every metric, now.
  func families() async -> [MetricFamily]
  /// What `/status` shows, without secrets.
  func status() async -> StatusDocument
  /// Whether requests are served: listeners are bound and no drain has begun.
  var isReady: Bool { get }
}

/// The admin endpoint: `GET` and `HEAD` of `/metrics /healthz /readyz /status`, on Hummingbird. Runs until the group
/// shuts down.
struct AdminServer: Service {
  /// Longer than scrapers wait from scrape to scrape.
  private static let idleTimeout = TimeAmount.minutes(5)

  let host: String
  let port: Int
  let source: any AdminSource
  /// Who may look at what.
  let access: AdminAccess
  /// Told the bound address once.
  let bound: BoundAddress

  func run() async throws {
    let bound = bound
    let responder = CallbackResponder<BasicRequestContext> { request, _ in await respond(to: request) }
    let application = Application(
      responder: responder, server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
      configuration: .init(address: .hostname(host, port: port), serverName: nil),
      onServerRunning: { channel in bound.set(channel.localAddress) }, logger: .quiet)
    do {
      try await application.run()
    } catch {
      bound.fail()
      throw StartFailure(message: "cannot serve the admin endpoint on \(host):\(port): \(error)")
    }
  }

  private func respond(to request: Request) async -> Response {
    let path = request.head.path?.prefix { $0 != "?" } ?? ""
    guard ["/metrics", "/healthz", "/readyz", "/status"].contains(path) else {
      return text("unknown path; there are /metrics, /healthz, /readyz and /status\n", status: .notFound)
    }
    guard request.method == .get || request.method == .head else {
      var refusal = text("the method is GET\n", status: .methodNotAllowed)
      refusal.headers[.allow] = "GET, HEAD"
      return refusal
    }
    let rule = access.inForce
    let isHealth = path == "/healthz" || path == "/readyz"
    if !isHealth || rule.includesHealth, !Self.admits(request, rule.access) {
      var refusal = text("missing or unknown credentials\n", status: .unauthorized)
      refusal.headers[.wwwAuthenticate] = rule.access.challenge
      return refusal
    }
    let whole = await page(path, accept: request.headers[.accept])
    return request.method == .head ? whole.createHeadResponse() : whole
  }

  private static func admits(_ request: Request, _ access: Access) -> Bool {
    access.admits(request.headers[.authorization].map { [UInt8]($0.utf8)[...] })
  }

  private func page(_ path: Substring, accept: String?) async -> Response {
    switch path {
    case "/metrics":
      let format = ExpositionFormat.negotiate(accept: accept)
      let body = Exposition.write(await source.families(), format: format)
      return answer(ByteBuffer(bytes: body), contentType: format.contentType)
    case "/status": return text(await source.status().json, contentType: "application/json")
    case "/readyz":
      let ready = source.isReady
      return text(ready ? "ready\n" : "not ready\n", status: ready ? .ok : .serviceUnavailable)
    default: return text("ok\n")
    }
  }

  private func text(
    _ body: String, contentType: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
  ) -> Response {
    answer(ByteBuffer(string: body), contentType: contentType, status: status)
  }

  private func answer(_ body: ByteBuffer, contentType: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(status: status, headers: [.contentType: contentType], body: .init(byteBuffer: body))
  }
}
