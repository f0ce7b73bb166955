import Benchmark
import Operations

/// The time of every operation, a thousand of them at a time.
let benchmarks: @Sendable () -> Void = {
    for cost in Cost.operations {
        Benchmark(
            cost.name,
            configuration: .init(
                metrics: [.throughput, .wallClock],
                scalingFactor: .kilo,
                maxDuration: .milliseconds(500)
            )
        ) { benchmark in
            blackHole(try await cost.run(benchmark.scaledIterations.count))
        }
    }
}
