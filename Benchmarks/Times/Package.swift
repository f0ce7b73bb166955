// swift-tools-version: 6.2

import PackageDescription

// A package of its own: what counts instructions need not build the framework.
let package = Package(
    name: "times",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "benchmarks", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Times",
            dependencies: [
                .product(name: "Operations", package: "benchmarks"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            // The framework looks for its benchmarks in a folder of this name.
            path: "Benchmarks/Times",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        )
    ],
    swiftLanguageModes: [.v6]
)
