import Foundation
import Synchronization

@testable import PerRequest

/// Runs requests until the time is over or one has gone wrong.
final class Soak: Sendable {
    private struct State: Sendable {
        var seed: UInt64
        var requests = 0
        var stores = 0
        var acquisitions = 0
        var problem: String?
        /// The requests under way, and since when.
        var running: [ObjectIdentifier: (seed: UInt64, run: SoakRun, since: ContinuousClock.Instant)] = [:]
        var callers = 0
    }

    /// After how long a request counts as one that never ends: its limits are longer than this.
    private static let patience = Duration.seconds(isThreadSanitized ? 80 : 40)

    /// How many requests there are at least, however busy the machine is.
    private static let fewest = isThreadSanitized ? 50 : 300

    private let state: Lock<State>
    private let chosen: UInt64?
    private let first: UInt64
    private let end: ContinuousClock.Instant
    private let isOver = Signal()

    init(seed: UInt64?, seconds: Double) {
        chosen = seed
        first = seed ?? UInt64.random(in: 1..<1_000_000_000_000)
        state = Lock(State(seed: first))
        end = .now + .seconds(seconds)
    }

    var problem: String? { state.withLock { $0.problem } }

    var summary: String {
        state.withLock { state in
            let what = "\(state.requests) requests, \(state.stores) stores, \(state.acquisitions) acquisitions"
            return "\(what), seeds \(first)..<\(state.seed)"
        }
    }

    private func next() -> UInt64? {
        state.withLock { state in
            guard state.problem == nil, .now < end || state.requests < Self.fewest else { return nil }
            state.requests += 1
            defer { state.seed += 1 }
            return chosen ?? state.seed
        }
    }

    private func ended(_ seed: UInt64, _ run: SoakRun, problems: [String]) {
        let (stores, acquisitions) = (run.ledger.storeCount, run.ledger.acquisitions)
        state.withLock { state in
            state.running[ObjectIdentifier(run)] = nil
            state.stores += stores
            state.acquisitions += acquisitions
            guard state.problem == nil, !problems.isEmpty else { return }
            state.problem = """
                seed \(seed): \(problems.joined(separator: "; "))
                \(run.ledger.log.joined(separator: "\n"))
                """
        }
    }

    // MARK: On all threads

    func run(callers: Int) async {
        state.withLock { $0.callers = callers }
        for _ in 0..<callers {
            Task.detached {
                while let seed = self.next() { await self.request(seed) }
                let isLast = self.state.withLock { state in
                    state.callers -= 1
                    return state.callers == 0
                }
                if isLast { self.isOver.fire() }
            }
        }
        let watchdog = Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                if self.isStuck() { self.isOver.fire() }
            }
        }
        await isOver.wait()
        watchdog.cancel()
    }

    private func request(_ seed: UInt64) async {
        let run = SoakRun(SoakPlanner.plan(seed, hasClock: true))
        state.withLock { $0.running[ObjectIdentifier(run)] = (seed, run, .now) }
        await run.serve()
        ended(seed, run, problems: run.ledger.problems)
    }

    private func isStuck() -> Bool {
        let stuck = state.withLock { state in
            state.running.first { $0.value.since.duration(to: .now) > Self.patience }
        }
        guard let stuck else { return false }
        ended(stuck.value.seed, stuck.value.run, problems: Self.problems(ofStuck: stuck.value.run))
        return true
    }

    private static func problems(ofStuck run: SoakRun) -> [String] {
        run.ledger.problems + ["9: somebody waits for ever:\n\(run.core.state.withLock { $0.lifecycle.dump })\n"]
    }

    // MARK: On one thread

    func runInOrder() {
        while let seed = next() {
            let executor = SeededExecutor(seed: seed)
            let run = SoakRun(SoakPlanner.plan(seed, hasClock: false), executor: executor)
            let hasEnded = Lock(false)
            let task = Task(executorPreference: executor) {
                await run.serve()
                hasEnded.withLock { $0 = true }
            }
            executor.run()
            withExtendedLifetime(task) {}
            let problems = hasEnded.withLock { $0 } ? run.ledger.problems : Self.problems(ofStuck: run)
            ended(seed, run, problems: problems)
            if chosen != nil { return }
        }
    }
}

/// The slots that the soak has seen.
final class SoakSlots: Sendable {
    static let shared = SoakSlots()

    private let state = Lock((slots: Set<UInt>(), open: 0, most: 0))

    /// How many there were, and how many stores were open at the same time.
    var counts: (slots: Int, open: Int) { state.withLock { ($0.slots.count, $0.most) } }

    func opened(_ store: RequestStore) {
        let address = UInt(bitPattern: store.core.slot.immortal.pointer)
        state.withLock { state in
            state.slots.insert(address)
            state.open += 1
            state.most = max(state.most, state.open)
        }
    }

    func closed() { state.withLock { $0.open -= 1 } }
}
