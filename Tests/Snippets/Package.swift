// snippet README.md: Add it

// The guides, each a module of its own, as a user's is.
package.dependencies += [
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.0")),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.3.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
]

func perRequest(_ names: String...) -> [Target.Dependency] {
    names.map { .product(name: $0, package: "swift-per-request") }
}

package.targets += [
    .target(name: "Catalog", dependencies: perRequest("PerRequest")),
    .executableTarget(
        name: "UsingInAnApplication",
        dependencies: perRequest(
            "PerRequest",
            "PerRequestHummingbird",
            "PerRequestGRPC",
            "PerRequestNIO",
            "PerRequestFlyingFox"
        ) + [
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdHTTP2", package: "hummingbird"),
            .product(name: "GRPCCore", package: "grpc-swift-2"),
            .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            .product(name: "FlyingFox", package: "FlyingFox"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]
    ),
    .target(
        name: "SeeYourRequests",
        dependencies: perRequest("PerRequest", "PerRequestHummingbird", "PerRequestInspector") + [
            .product(name: "Hummingbird", package: "hummingbird")
        ]
    ),
    .target(name: "UsingItAnywhere", dependencies: perRequest("PerRequest")),
    .target(
        name: "AcrossProcesses",
        dependencies: perRequest("PerRequest", "PerRequestTracing") + [
            .product(name: "Tracing", package: "swift-distributed-tracing")
        ]
    ),
    .target(name: "UsingInALibrary", dependencies: perRequest("PerRequest")),
    .target(name: "WritingAnAdapter", dependencies: perRequest("PerRequest", "PerRequestAdapters")),
    .target(
        name: "CheckingAnAdapter",
        dependencies: perRequest("PerRequest", "PerRequestAdapters", "PerRequestTesting")
    ),
    .testTarget(name: "UsingItAnywhereTests", dependencies: ["UsingItAnywhere"] + perRequest("PerRequest")),
    .testTarget(name: "UsingInALibraryTests", dependencies: ["UsingInALibrary"] + perRequest("PerRequest")),
    .testTarget(
        name: "TestingAnApplication",
        dependencies: perRequest("PerRequest", "PerRequestHummingbird", "PerRequestTesting") + [
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ]
    ),
]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

/// A library that is not a dependency: the declarations of it that the guides use.
func stub(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/Stubs/\(name)")
}

/// A section of a guide whose names are those of other sections, too.
func section(_ name: String, of guide: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: guide + name, dependencies: perRequest("PerRequest") + dependencies, path: "Sources/\(guide)/\(name)")
}

package.targets += [
    stub("PostgresNIO", log, nio),
    stub("Valkey"),
    stub("FluentKit", nio),
    stub("SQLKit"),
    stub("SotoS3", nio),
    stub("Vapor", log, nio, .product(name: "NIOHTTP1", package: "swift-nio")),
    stub("Dependencies"),
    .systemLibrary(
        name: "CLibPQ",
        path: "Sources/DatabaseAndOtherClients/CLibPQ",
        pkgConfig: "libpq",
        providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
    ),
    section("Overview", of: "DatabaseAndOtherClients"),
    section("PostgresNIO", of: "DatabaseAndOtherClients", "PostgresNIO", log, nio),
    section("LibPQ", of: "DatabaseAndOtherClients", "CLibPQ"),
    section("GRDB", of: "DatabaseAndOtherClients", grdb),
    section("Valkey", of: "DatabaseAndOtherClients", "Valkey"),
    section("Fluent", of: "DatabaseAndOtherClients", "FluentKit", "SQLKit", nio),
    section(
        "AsyncHTTPClient",
        of: "DatabaseAndOtherClients",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        nio
    ),
    section("ObjectStore", of: "DatabaseAndOtherClients", "SotoS3", nio),
    .target(
        name: "ComingFrom",
        dependencies: perRequest("PerRequest") + [
            "Vapor", "Dependencies", .product(name: "Hummingbird", package: "hummingbird"),
        ]
    ),
    .target(
        name: "VaporAndOtherFutureStyleFrameworks",
        dependencies: perRequest("PerRequest", "PerRequestAdapters", "PerRequestNIO") + ["Vapor", nio]
    ),
    .target(name: "WhichLifetime", dependencies: perRequest("PerRequest")),
    .target(name: "TransactionsAndRowLevelSecurity", dependencies: perRequest("PerRequest") + ["PostgresNIO", log]),
    .target(
        name: "WorkAfterTheResponse",
        dependencies: perRequest("PerRequest", "PerRequestHummingbird", "PerRequestServiceLifecycle") + [
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            log,
        ]
    ),
    .testTarget(
        name: "WorkAfterTheResponseTests",
        dependencies: ["WorkAfterTheResponse"] + perRequest("PerRequest")
    ),
    .testTarget(
        name: "DatabaseAndOtherClientsTests",
        dependencies: perRequest("PerRequest") + [
            "DatabaseAndOtherClientsGRDB", "DatabaseAndOtherClientsObjectStore", "SotoS3", grdb, nio,
        ]
    ),
]

// No page shows what is deprecated.
for target in package.targets where target.type != .system {
    target.swiftSettings = [.treatWarning("DeprecatedDeclaration", as: .error)]
}
