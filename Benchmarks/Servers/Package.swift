// swift-tools-version: 6.2

import PackageDescription

// A package of its own: what counts instructions need not build the frameworks.
let package = Package(
    name: "servers",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-per-request", path: "../..", traits: ["Hummingbird", "GRPC", "NIO", "Inspector"]),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "Servers",
            dependencies: [
                .product(name: "PerRequestHummingbird", package: "swift-per-request"),
                .product(name: "PerRequest", package: "swift-per-request"),
                .product(name: "PerRequestGRPC", package: "swift-per-request"),
                .product(name: "PerRequestNIO", package: "swift-per-request"),
                .product(name: "PerRequestInspector", package: "swift-per-request"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
