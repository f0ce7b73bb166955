// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "swift-per-request",
    platforms: [.macOS(.v26), .iOS(.v26), .tvOS(.v26), .watchOS(.v26), .visionOS(.v26)],
    products: [
        .library(name: "PerRequest", targets: ["PerRequest"]),
        .library(name: "PerRequestAdapters", targets: ["PerRequestAdapters"]),
        .library(name: "PerRequestTesting", targets: ["PerRequestTesting"]),
        .library(name: "PerRequestHummingbird", targets: ["PerRequestHummingbird"]),
        .library(name: "PerRequestServiceLifecycle", targets: ["PerRequestServiceLifecycle"]),
        .library(name: "PerRequestGRPC", targets: ["PerRequestGRPC"]),
        .library(name: "PerRequestNIO", targets: ["PerRequestNIO"]),
        .library(name: "PerRequestFlyingFox", targets: ["PerRequestFlyingFox"]),
        .library(name: "PerRequestMetrics", targets: ["PerRequestMetrics"]),
        .library(name: "PerRequestTracing", targets: ["PerRequestTracing"]),
        .library(name: "PerRequestInspector", targets: ["PerRequestInspector"]),
    ],
    traits: [
        // No trait is on by default: a package that uses only the core resolves no other package.
        .trait(
            name: "Hummingbird",
            description: "Builds PerRequestHummingbird, the adapter for Hummingbird 2.",
            enabledTraits: ["NIO", "ServiceLifecycle"]
        ),
        .trait(
            name: "ServiceLifecycle",
            description: "Builds PerRequestServiceLifecycle: work after the response as a service."
        ),
        .trait(
            name: "Logging",
            description: "Reports go to swift-log instead of standard error, and loggers know the request."
        ),
        .trait(name: "GRPC", description: "Builds PerRequestGRPC, the adapter for gRPC Swift 2."),
        .trait(name: "NIO", description: "Builds PerRequestNIO, for servers and callbacks on SwiftNIO itself."),
        .trait(name: "FlyingFox", description: "Builds PerRequestFlyingFox, the adapter for FlyingFox."),
        .trait(name: "Metrics", description: "Builds PerRequestMetrics: what happens to requests, in swift-metrics."),
        .trait(name: "Tracing", description: "Builds PerRequestTracing: what happens to requests, in spans."),
        .trait(
            name: "Inspector",
            description: "Builds PerRequestInspector: a page that shows requests as they happen, with Hummingbird.",
            enabledTraits: ["Hummingbird"]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.0")),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    ],
    targets: [
        .target(
            name: "PerRequest",
            dependencies: [
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"]))
            ],
            swiftSettings: [.strictMemorySafety()]
        ),
        .target(name: "PerRequestAdapters", dependencies: ["PerRequest"]),
        .target(name: "PerRequestTesting", dependencies: ["PerRequest", "PerRequestAdapters"]),
        .target(
            name: "PerRequestServiceLifecycle",
            dependencies: [
                "PerRequest",
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
            ]
        ),
        .target(
            name: "PerRequestHummingbird",
            dependencies: [
                "PerRequest",
                "PerRequestAdapters",
                "PerRequestNIO",
                "PerRequestServiceLifecycle",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Hummingbird"])
                ),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
            ]
        ),
        .target(
            name: "PerRequestGRPC",
            dependencies: [
                "PerRequest",
                "PerRequestAdapters",
                .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: ["GRPC"])),
            ]
        ),
        .target(
            name: "PerRequestNIO",
            dependencies: [
                "PerRequest",
                "PerRequestAdapters",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]
        ),
        .target(
            name: "PerRequestFlyingFox",
            dependencies: [
                "PerRequest",
                "PerRequestAdapters",
                .product(name: "FlyingFox", package: "FlyingFox", condition: .when(traits: ["FlyingFox"])),
                .product(name: "FlyingSocks", package: "FlyingFox", condition: .when(traits: ["FlyingFox"])),
            ]
        ),
        .target(
            name: "PerRequestMetrics",
            dependencies: [
                "PerRequest",
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
            ]
        ),
        .target(
            name: "PerRequestTracing",
            dependencies: [
                "PerRequest",
                .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
            ]
        ),
        .target(
            name: "PerRequestInspector",
            dependencies: [
                "PerRequest",
                "PerRequestHummingbird",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Inspector"])),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Inspector"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Inspector"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Inspector"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Inspector"])
                ),
            ],
            resources: [
                .embedInCode("Page/inspector.html"), .embedInCode("Page/inspector.css"),
                .embedInCode("Page/inspector.js"),
            ]
        ),
        .target(
            name: "PerRequestTestSupport",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestTesting",
                .product(
                    name: "NIOCore",
                    package: "swift-nio",
                    condition: .when(traits: ["Hummingbird", "NIO", "FlyingFox"])
                ),
                .product(
                    name: "NIOPosix",
                    package: "swift-nio",
                    condition: .when(traits: ["Hummingbird", "NIO", "FlyingFox"])
                ),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Hummingbird"])
                ),
            ],
            path: "Tests/PerRequestTestSupport"
        ),
        .testTarget(
            name: "PerRequestTests",
            dependencies: [
                "PerRequest",
                "PerRequestTesting",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
            ]
        ),
        .testTarget(name: "PerRequestAdaptersTests", dependencies: ["PerRequestAdapters"]),
        .testTarget(
            name: "PerRequestTestingTests",
            dependencies: ["PerRequestAdapters", "PerRequestTesting", "PerRequestTestSupport"]
        ),
        .testTarget(
            name: "PerRequestMetricsTests",
            dependencies: [
                "PerRequestMetrics",
                "PerRequestTestSupport",
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
            ]
        ),
        .testTarget(
            name: "PerRequestTracingTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestHummingbird",
                "PerRequestTracing",
                "PerRequestTestSupport",
                .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
                .product(
                    name: "InMemoryTracing",
                    package: "swift-distributed-tracing",
                    condition: .when(traits: ["Tracing"])
                ),
                // Servers that carry values to each other: where the traits of both are on.
                "PerRequestGRPC",
                .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: ["GRPC"])),
                .product(name: "GRPCInProcessTransport", package: "grpc-swift-2", condition: .when(traits: ["GRPC"])),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["Hummingbird"])
                ),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Hummingbird"])
                ),
            ]
        ),
        .testTarget(
            name: "PerRequestInspectorTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestHummingbird",
                "PerRequestInspector",
                "PerRequestTestSupport",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Inspector"])),
                .product(name: "HummingbirdTesting", package: "hummingbird", condition: .when(traits: ["Inspector"])),
                .product(name: "HummingbirdRouter", package: "hummingbird", condition: .when(traits: ["Inspector"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["Inspector"])
                ),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Inspector"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Inspector"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Inspector"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Inspector"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Inspector"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Inspector"])
                ),
            ]
        ),
        .testTarget(
            name: "PerRequestServiceLifecycleTests",
            dependencies: [
                "PerRequestServiceLifecycle",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["ServiceLifecycle"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
            ]
        ),
        .testTarget(
            name: "PerRequestHummingbirdTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestHummingbird",
                "PerRequestTesting",
                "PerRequestTestSupport",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HummingbirdTesting", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HummingbirdRouter", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HummingbirdHTTP2", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HummingbirdTLS", package: "hummingbird", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["Hummingbird"])
                ),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["Hummingbird"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Hummingbird"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOEmbedded", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Hummingbird"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["Hummingbird"])
                ),
            ]
        ),
        .testTarget(
            name: "PerRequestGRPCTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestGRPC",
                "PerRequestTesting",
                "PerRequestTestSupport",
                .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: ["GRPC"])),
                .product(name: "GRPCInProcessTransport", package: "grpc-swift-2", condition: .when(traits: ["GRPC"])),
                .product(
                    name: "GRPCNIOTransportHTTP2Posix",
                    package: "grpc-swift-nio-transport",
                    condition: .when(traits: ["GRPC"])
                ),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["GRPC"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["GRPC"])),
            ]
        ),
        .testTarget(
            name: "PerRequestNIOTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestNIO",
                "PerRequestTesting",
                "PerRequestTestSupport",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]
        ),
        .testTarget(
            name: "PerRequestFlyingFoxTests",
            dependencies: [
                "PerRequestAdapters",
                "PerRequestFlyingFox",
                "PerRequestTesting",
                "PerRequestTestSupport",
                .product(name: "FlyingFox", package: "FlyingFox", condition: .when(traits: ["FlyingFox"])),
                .product(name: "FlyingSocks", package: "FlyingFox", condition: .when(traits: ["FlyingFox"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["FlyingFox"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["FlyingFox"])),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Warnings are errors in the package's own checks, and never for those who depend on it.
let warnings: [SwiftSetting] =
    Context.environment["PERREQUEST_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

for target in package.targets {
    target.swiftSettings =
        (target.swiftSettings ?? []) + warnings + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InferIsolatedConformances"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .enableUpcomingFeature("ImmutableWeakCaptures"),
        ]
}
