internal import Hummingbird
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

/// The admin endpoint: `GET /metrics /healthz /readyz /status`, on Hummingbird. Runs until the group shuts down.
struct AdminServer: Service {
  let host: String
  let port: Int
  let source: any AdminSource
  /// Told the bound address once.
  let bound: BoundAddress

  func run() async throws {
    let router = Router()
    router.get("healthz") { _, _ in "ok\n" }
    router.get("readyz") { _, _ -> Response in
      let ready = source.isReady
      return text(ready ? "ready\n" : "not ready\n", status: ready ? .ok : .serviceUnavailable)
    }
    router.get("metrics") { request, _ -> Response in
      let format = ExpositionFormat.negotiate(accept: request.headers[.accept])
      let body = Exposition.text(await source.families(), format: format)
      return text(body, contentType: format.contentType)
    }
    router.get("status") { _, _ -> Response in
      text(await source.status().json, contentType: "application/json")
    }
    let bound = bound
    let application = Application(
      router: router, configuration: .init(address: .hostname(host, port: port), serverName: nil),
      onServerRunning: { channel in bound.set(channel.localAddress) }, logger: .quiet)
    do {
      try await application.run()
    } catch {
      bound.fail()
      throw StartFailure(message: "cannot serve the admin endpoint on \(host):\(port): \(error)")
    }
  }

  private func text(
    _ body: String, contentType: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: contentType], body: .init(byteBuffer: ByteBuffer(string: body)))
  }
}
