// snippet README.md: Add it

// The guides, each a module of its own, as a user's is.
package.dependencies += [
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.0")),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
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
    .target(name: "UsingItAnywhere", dependencies: perRequest("PerRequest")),
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

// No page shows what is deprecated.
for target in package.targets { target.swiftSettings = [.treatWarning("DeprecatedDeclaration", as: .error)] }
