// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "hello",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-per-request", path: "../..", traits: ["Hummingbird"]),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .executableTarget(
            name: "Hello",
            dependencies: [
                .product(name: "PerRequest", package: "swift-per-request"),
                .product(name: "PerRequestHummingbird", package: "swift-per-request"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "HelloTests",
            dependencies: [
                "Hello",
                .product(name: "PerRequestTesting", package: "swift-per-request"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]
        ),
    ]
)
