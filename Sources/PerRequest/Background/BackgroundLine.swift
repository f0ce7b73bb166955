import Synchronization

/// The work that one request left, and what that work leaves: one job after another (rule 20).
final class BackgroundLine: Sendable {
    private struct State {
        var waiting = Fifo<BackgroundJob>()
        /// Whether somebody runs them, or is going to.
        var hasRunner = true
    }

    /// The request's store, which is closed and empty by now.
    let origin: StoreCore
    /// Who runs the jobs; `nil` for whoever opened the store.
    let work: BackgroundWork?
    /// What waits for the opener.
    private let state = Lock(State())

    init(of origin: StoreCore, runBy work: BackgroundWork?) {
        self.origin = origin
        self.work = work
    }

    /// Puts jobs at the end.
    func append(_ jobs: [BackgroundJob]) {
        if let work { return work.enqueue(jobs) }
        let hasRunner = state.withLock { state in
            for job in jobs { state.waiting.append(job) }
            defer { state.hasRunner = true }
            return state.hasRunner
        }
        // A release of a job overran, and the opener did not wait for it.
        if !hasRunner { runDetached() }
    }

    /// Runs the jobs, for the opener, whose cancellation reaches none of them.
    nonisolated(nonsending) func run() async {
        while let job = next() {
            await ScopeOwnership.withNone { Task.immediate { job.report(await job.run()) } }.value
        }
    }

    /// Runs the jobs where the opener does not wait for them.
    func runDetached() {
        Task.detached(name: "after response") { await self.run() }
    }

    private func next() -> BackgroundJob? {
        state.withLock { state in
            let job = state.waiting.popFirst()
            state.hasRunner = job != nil
            return job
        }
    }

    private static let lastTicket = Atomic(0)

    /// What says in which order jobs were registered that the opener runs.
    static func nextTicket() -> Int { lastTicket.wrappingAdd(1, ordering: .relaxed).newValue }
}
