/// What an exporter writes to, with what only that kind has. The names are the Collector's.
public enum ExporterKind: Sendable, Equatable {
  /// `otlp`: OTLP/gRPC.
  case otlp
  /// `otlphttp`: OTLP/HTTP, protobuf.
  case otlpHTTP(URLConfiguration)
  /// `zipkin`: Zipkin v2 JSON.
  case zipkin(URLConfiguration)
  /// `elasticsearch`: the bulk API.
  case elasticsearch(ElasticsearchConfiguration)
  /// `debug`: the log.
  case debug(DebugConfiguration)
  /// `file`: OTLP/JSON, a request a line.
  case file(FileConfiguration)

  /// Whether there is a server to connect to.
  var hasServer: Bool {
    switch self {
    case .otlp, .otlpHTTP, .zipkin, .elasticsearch: true
    case .debug, .file: false
    }
  }

  /// The types' names.
  static let names = ["otlp", "otlphttp", "zipkin", "elasticsearch", "debug", "file"]
}

/// The part of a URL behind its host, where requests go.
public struct URLConfiguration: Sendable, Equatable {
  /// Begins with a slash.
  public var path: String
  /// What follows the question mark. Some servers take keys there.
  public var query: Secret?

  /// A path.
  public init(path: String, query: Secret? = nil) {
    self.path = path
    self.query = query
  }

  /// Path and query as a request line has them.
  var target: String { query.map { "\(path)?\($0.value)" } ?? path }
}

/// Where documents go.
public struct ElasticsearchConfiguration: Sendable, Equatable {
  /// How an index's name ends with the date of a span (`logstash_format.date_format`), a hyphen before it.
  public enum DateFormat: String, CaseIterable, Sendable {
    case day = "%Y.%m.%d"
    case month = "%Y.%m"
  }

  /// What the server's paths begin with; empty, or with a slash before and none behind.
  public var basePath: String
  /// `traces_index`; nil for the data stream `traces-generic-default`.
  public var index: String?
  /// Nil where the index has one name for ever.
  public var dateFormat: DateFormat?
  /// The value of `authorization`, of `user` and `password` or `api_key`.
  public var authorization: Secret?

  /// A server without a path of its own.
  public init(basePath: String = "") { self.basePath = basePath }
}

/// How much of what passes is written to the log.
public struct DebugConfiguration: Sendable, Equatable {
  /// The Collector's `verbosity`.
  public enum Verbosity: String, CaseIterable, Sendable {
    /// A line a trace.
    case basic
    /// Every span, whole.
    case detailed
  }

  /// How much a batch makes the log say.
  public var verbosity = Verbosity.basic

  /// A line a trace.
  public init() {}
}

/// A file that grows, and what becomes of it when it is large.
public struct FileConfiguration: Sendable, Equatable {
  /// The Collector's `rotation`.
  public struct Rotation: Sendable, Equatable {
    /// Mebibytes that a file has at most.
    public var maxMegabytes = 100
    /// Days after which a file that was put aside is removed; 0 means never.
    public var maxDays = 0
    /// Files that were put aside and are kept.
    public var maxBackups = 100

    /// The Collector's defaults.
    public init() {}
  }

  /// Where it is; what it holds already stays.
  public var path: String
  /// Nil where it grows for ever.
  public var rotation: Rotation?

  /// A file that is not rotated.
  public init(path: String) { self.path = path }
}
