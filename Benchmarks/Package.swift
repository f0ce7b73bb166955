// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "swift-per-request", path: "..")],
    targets: [
        // A module of its own, as a user's is: what the optimizer sees of the library is what a user's optimizer sees.
        .target(name: "Operations", dependencies: [.product(name: "PerRequest", package: "swift-per-request")]),
        .executableTarget(name: "Costs", dependencies: ["Operations"]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
