import CMemory
import Operations
import PerRequest

extension Main {
    /// What takes a time, because several threads are at it: the best of several rounds each; and what a parent keeps of its
    /// children.
    static func measureGrowth() async throws {
        var best = [Duration](repeating: .seconds(1_000), count: Crowd.all.count)
        // What is compared is done in turn.
        for _ in 0..<rounds {
            for (index, crowd) in Crowd.all.enumerated() { best[index] = min(best[index], try await crowd.run()) }
        }
        for (crowd, time) in zip(Crowd.all, best) { report(crowd.name, time / .microseconds(1)) }
        for count in [100_000, 1_000_000] {
            let (time, bytes) = try await growth(of: count)
            report("children that come and go: \(count), microseconds", time / .microseconds(1))
            report("children that come and go: \(count), bytes", Double(bytes))
        }
    }

    private static let rounds = 5

    /// How long it takes to open and close as many children, and how much more memory their parent has then.
    private static func growth(of count: Int) async throws -> (Duration, Int) {
        try await withRequestStore { _ in
            // Some that are not counted make what all use again.
            try await openChildren(10_000)
            let before = bytes_in_use()
            let time = try await ContinuousClock().measure { try await openChildren(count) }
            return (time, bytes_in_use() - before)
        }
    }
}
