import Testing

/// Who may import whom: a target imports only targets of lower layers. The compiler does not check this.
@Suite struct LayerTests {
  static let layers: [String: Int] = [
    "CNghttp2": 0, "COpenSSL": 0, "CCompression": 0, "CLinux": 0,
    "TraceWire": 1, "LinearRegex": 1, "Compression": 1, "HTTP2Engine": 1, "TLSEngine": 1, "Telemetry": 1,
    "DiskLog": 1,
    "Policy": 2, "Delivery": 2, "Stitching": 2, "Formats": 2, "Tenancy": 2,
    "Transport": 3, "Intake": 3,
    "Gateway": 4,
    "longspan": 5,
  ]
  /// Modules that only some targets may reach.
  static let reserved: [String: Set<String>] = [
    "CNghttp2": ["HTTP2Engine"], "COpenSSL": ["TLSEngine"], "CCompression": ["Compression"], "CLinux": ["Gateway"],
    "NIOPosix": ["Transport", "Gateway"], "GRDB": ["DiskLog"], "GRDBSQLite": ["DiskLog"],
  ]

  @Test func importsPointDownwards() throws {
    let files = try SourceTree().swiftFiles.filter(\.isProduct)
    #expect(files.count > 50)
    for file in files {
      let own = try #require(Self.layers[file.target], "\(file.path) belongs to no layer")
      for name in file.imports {
        if let layer = Self.layers[name] { #expect(layer < own, "\(file.path) imports \(name)") }
        if let owners = Self.reserved[name] { #expect(owners.contains(file.target), "\(file.path) imports \(name)") }
      }
    }
  }

  @Test func wireModulesStayFreeOfNIO() throws {
    for file in try SourceTree().swiftFiles.filter(\.isProduct) where (Self.layers[file.target] ?? 9) <= 2 {
      for name in file.imports { #expect(!name.hasPrefix("NIO"), "\(file.path) imports \(name)") }
    }
  }
}
