// swift-tools-version:6.2
import PackageDescription

/// Strict everywhere: a warning is an error, an import is internal unless it says otherwise.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A target of the layered design; `Tests/TidyTests` holds the sources to the table these names come from.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let nioCore = product("NIOCore", "swift-nio")
let nioPosix = product("NIOPosix", "swift-nio")
let nioHTTP1 = product("NIOHTTP1", "swift-nio")
let nioEmbedded = product("NIOEmbedded", "swift-nio")
let logging = product("Logging", "swift-log")

let package = Package(
  name: "longspan",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "longspan", targets: ["longspan"]),
    .executable(name: "longspan-loadtest", targets: ["longspan-loadtest"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCompression", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev", "libzstd-dev"])]),

    .systemLibrary(name: "CLinux"),
    module("TraceWire"),
    module("LinearRegex"),
    module("Compression", ["CCompression"]),
    module("HTTP2Engine", ["CNghttp2"]),
    module("TLSEngine", ["COpenSSL"]),
    module("Telemetry", [logging]),
    module("DiskLog", [product("GRDB", "GRDB.swift"), product("GRDBSQLite", "GRDB.swift")]),

    module("Policy", ["TraceWire", "LinearRegex", "Telemetry", product("Crypto", "swift-crypto")]),
    module("Delivery", ["Telemetry"]),
    module("Stitching", ["TraceWire", "Telemetry", "Compression", product("DequeModule", "swift-collections")]),
    module("Formats", ["TraceWire"]),
    module("Tenancy", ["TraceWire", "Telemetry", product("Crypto", "swift-crypto")]),

    module(
      "Transport",
      [
        "HTTP2Engine", "TLSEngine", "Telemetry", nioCore, nioPosix, nioHTTP1,
        product("DequeModule", "swift-collections"),
      ]),
    module("Intake", ["TraceWire", "Formats", "Compression", "HTTP2Engine", "Telemetry", "Delivery", "Tenancy"]),

    module(
      "Gateway",
      [
        "CLinux", "TraceWire", "LinearRegex", "Compression", "HTTP2Engine", "TLSEngine", "Telemetry", "Policy",
        "Delivery", "Stitching", "Tenancy", "Transport", "Intake", "Formats", "DiskLog", "Yams",
        product("DequeModule", "swift-collections"), nioCore, nioPosix, logging,
        product("Hummingbird", "hummingbird"), product("ServiceLifecycle", "swift-service-lifecycle"),
        product("UnixSignals", "swift-service-lifecycle"),
        product("X509", "swift-certificates"), product("SwiftASN1", "swift-asn1"), product("Crypto", "swift-crypto"),
      ]),

    .executableTarget(
      name: "longspan",
      dependencies: ["Gateway", product("ArgumentParser", "swift-argument-parser")], swiftSettings: strict),

    .target(
      name: "FaultProxy", dependencies: [nioCore, nioPosix], path: "loadtest/FaultProxy", swiftSettings: strict),
    .target(
      name: "Load",
      dependencies: [
        "TraceWire", "Compression", "HTTP2Engine", "TLSEngine", "Transport", "FaultProxy", nioCore, nioPosix, nioHTTP1,
      ],
      path: "loadtest/Load", swiftSettings: strict),
    .target(
      name: "Scale", dependencies: ["Load", "Stitching", "TraceWire"], path: "loadtest/Scale", swiftSettings: strict),
    .executableTarget(
      name: "longspan-loadtest",
      dependencies: [
        "Load", "Scale", "FaultProxy", "Compression", "TLSEngine", nioCore, nioPosix,
        product("ArgumentParser", "swift-argument-parser"), product("UnixSignals", "swift-service-lifecycle"),
      ],
      path: "loadtest/longspan-loadtest", swiftSettings: strict),

    .target(
      name: "TestKit", dependencies: ["TraceWire", product("SwiftProtobuf", "swift-protobuf")],
      path: "Tests/TestKit", swiftSettings: strict),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "TraceWire", "LinearRegex", "Compression", "HTTP2Engine", "Telemetry", "Policy", "Delivery", "Formats",
        "Intake",
        "TestKit",
        product("SwiftProtobuf", "swift-protobuf"),
      ],
      path: "Tests/FuzzTargets", swiftSettings: strict),
    tests("TraceWire", ["TraceWire", "TestKit", product("SwiftProtobuf", "swift-protobuf")]),
    .testTarget(
      name: "LinearRegexTests", dependencies: ["LinearRegex"], exclude: ["Oracle"], swiftSettings: strict),
    tests("Compression", ["Compression"]),
    tests("HTTP2Engine", ["HTTP2Engine"]),
    tests("TLSEngine", ["TLSEngine", "TestKit"]),
    tests("Telemetry", ["Telemetry", logging]),
    tests("DiskLog", ["DiskLog", "TestKit", product("GRDB", "GRDB.swift")]),
    tests(
      "Policy",
      ["Policy", "TraceWire", "LinearRegex", "Telemetry", "TestKit", product("SwiftProtobuf", "swift-protobuf")]),
    tests("Delivery", ["Delivery", "Telemetry"]),
    tests("Stitching", ["Stitching", "TraceWire", "Telemetry", "TestKit", product("SwiftProtobuf", "swift-protobuf")]),
    tests("Formats", ["Formats", "TraceWire", "TestKit", product("SwiftProtobuf", "swift-protobuf")]),
    tests(
      "Transport", ["Transport", "HTTP2Engine", "TLSEngine", "Telemetry", "TestKit", nioCore, nioPosix, nioEmbedded]),
    tests("Tenancy", ["Tenancy", "TraceWire", "Telemetry", "TestKit"]),
    tests(
      "Intake", ["Intake", "TraceWire", "Compression", "HTTP2Engine", "Telemetry", "Delivery", "Tenancy", "TestKit"]),
    tests(
      "Gateway",
      [
        "Gateway", logging, "Compression", "DiskLog", "Intake", "HTTP2Engine", "TraceWire", "LinearRegex", "Telemetry",
        "Policy", "Delivery", "Stitching", "Tenancy", "Transport",
        "TestKit", nioCore, nioPosix,
      ]),
    tests("FaultProxy", ["FaultProxy", nioCore, nioPosix]),
    tests(
      "Loadtest",
      [
        "Load", "Scale", "Stitching", "Compression", "FaultProxy", "TraceWire", "TestKit",
        product("SwiftProtobuf", "swift-protobuf"),
      ]),
    tests(
      "System",
      [
        "longspan", "longspan-loadtest", "FaultProxy", "TestKit", "TraceWire",
        product("SwiftProtobuf", "swift-protobuf"),
      ]),
    tests("Simulation", ["TraceWire", "Policy", "Delivery", "Stitching", "Telemetry", "TestKit"]),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "TestKit"], exclude: ["Corpus"], swiftSettings: strict),
    tests("Tidy"),
  ],
  swiftLanguageModes: [.v6])

// For `loadtest/fuzz.sh`: the fuzz targets with the `main` that libFuzzer brings.
if Context.environment["LONGSPAN_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(name: "longspan-fuzz", dependencies: ["FuzzTargets"], path: "Tests/FuzzEntry"))
}
