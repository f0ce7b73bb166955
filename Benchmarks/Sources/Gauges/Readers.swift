import Operations

extension Main {
    /// How many reads there are in a second, by one child task and by eight at once: the best of several rounds each.
    static func measureReaders() async throws {
        for reader in Reader.all {
            var best = (one: 0.0, eight: 0.0)
            for _ in 0..<rounds {
                best.one = max(best.one, try await throughput(of: reader, tasks: 1))
                best.eight = max(best.eight, try await throughput(of: reader, tasks: 8))
            }
            report("\(reader.name), 1 child task", best.one)
            report("\(reader.name), 8 child tasks", best.eight)
        }
    }

    private static let rounds = 20

    private static func throughput(of reader: Reader, tasks: Int) async throws -> Double {
        let reads = 4_000_000
        var sum = 0
        let time = try await ContinuousClock().measure { sum = try await reader.run(tasks, reads / tasks) }
        precondition(sum == reads)
        return Double(reads) / (time / .seconds(1))
    }
}
