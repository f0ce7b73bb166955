// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    products: [.library(name: "Operations", targets: ["Operations"])],
    dependencies: [
        .package(name: "swift-per-request", path: ".."),
        // What the library is compared with.
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
    ],
    targets: [
        // A module of its own, as a user's is: what the optimizer sees of the library is what a user's optimizer sees.
        .target(
            name: "Operations",
            dependencies: [
                .product(name: "PerRequest", package: "swift-per-request"),
                .product(name: "PerRequestAdapters", package: "swift-per-request"),
                .product(name: "Instrumentation", package: "swift-distributed-tracing"),
            ]
        ),
        .executableTarget(name: "Costs", dependencies: ["Operations"]),
        .target(name: "CMemory"),
        .executableTarget(
            name: "Gauges",
            dependencies: [
                "CMemory",
                "Operations",
                .product(name: "PerRequest", package: "swift-per-request"),
                .product(name: "PerRequestAdapters", package: "swift-per-request"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.name != "CMemory" {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
