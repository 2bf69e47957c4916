/// Where spans go: an aggregator, a back end, a file or the log.
public struct ExporterConfiguration: Sendable, Equatable {
  /// How requests are compressed.
  public enum Compression: String, CaseIterable, Sendable {
    case none
    case gzip
    case zstd
  }

  /// When a request that failed is tried again.
  public struct Retry: Sendable, Equatable {
    public var initialInterval: Duration = .seconds(1)
    public var maxInterval: Duration = .seconds(30)
    /// Nil never gives up.
    public var maxElapsedTime: Duration?

    /// The defaults: never give up.
    public init() {}
  }

  /// A header field of every request.
  public struct Header: Sendable, Equatable {
    /// In lower case.
    public var name: String
    public var value: Secret

    /// A header field.
    public init(name: String, value: Secret) {
      self.name = name
      self.value = value
    }
  }

  /// The type, or `TYPE/LABEL`.
  public var name: String
  public var kind = ExporterKind.otlp
  /// Empty for what is on this machine.
  public var host: String
  public var port: Int
  public var connections = 2
  public var compression: Compression
  /// Of one request.
  public var timeout: Duration = .seconds(10)
  /// Nil for clear text, which only `tls.insecure: true` makes it.
  public var tls: ClientTLSFiles? = ClientTLSFiles()
  public var retry = Retry()
  /// Of the sending queue.
  public var queueBytesMax = 256 << 20
  /// The directory of the sending queue on disk; nil for one in memory.
  public var queueStorage: String?
  public var headers: [Header] = []

  /// Where it leads, without secrets: what `/status` and the log call it.
  var place: String {
    switch kind {
    case .debug: "log"
    case .file(let file): file.path
    default: Endpoint.text(host, port)
    }
  }

  /// An exporter with the defaults of everything else.
  public init(name: String, host: String, port: Int, compression: Compression = .zstd) {
    self.name = name
    self.host = host
    self.port = port
    self.compression = compression
  }
}

/// How an exporter proves itself, and whom it trusts.
public struct ClientTLSFiles: Sendable, Equatable {
  /// The oldest version of TLS that is spoken.
  public enum Version: String, CaseIterable, Sendable {
    case v1_2 = "1.2"
    case v1_3 = "1.3"
  }

  /// `ca_file`; nil trusts the system's authorities.
  public var authority: String?
  /// `cert_file`.
  public var certificate: String?
  /// `key_file`; there exactly where a certificate is.
  public var key: String?
  /// The name the server's certificate must have, where it is not the endpoint's host.
  public var serverNameOverride: String?
  public var minVersion = Version.v1_3

  /// The defaults: the system's authorities, no certificate, TLS 1.3.
  public init() {}
}

/// Text that is not shown.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  /// The text itself.
  public let value: String

  /// A secret.
  public init(_ value: String) { self.value = value }

  /// Never the secret: three stars.
  public var description: String { "***" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
