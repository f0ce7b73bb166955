import PerRequest
import Synchronization

/// Runs all jobs of a test on one thread, in an order that a seed decides.
///
/// The order is all that is random: a run can be repeated.
final class SeededExecutor: TaskExecutor, @unchecked Sendable {
    private let state: Lock<State>

    private struct State: Sendable {
        var jobs: [UnownedJob] = []
        var random: SeededGenerator
        var count = 0
    }

    init(seed: UInt64) {
        state = Lock(State(random: SeededGenerator(seed: seed)))
    }

    /// How many jobs have run.
    var count: Int { state.withLock { $0.count } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs jobs until there are none.
    func run() {
        while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.jobs.isEmpty else { return nil }
            state.count += 1
            let index = Int.random(in: state.jobs.indices, using: &state.random)
            state.jobs.swapAt(index, state.jobs.endIndex - 1)
            return state.jobs.removeLast()
        }
    }
}

/// A small generator of pseudo-random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
