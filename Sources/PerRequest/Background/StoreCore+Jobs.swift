import Synchronization

/// Work that was registered and whose request is not over.
struct PendingJob: Sendable {
    let name: String
    let condition: AfterResponseCondition
    let work: @Sendable () async throws -> Void
    /// Its place with the application's ``BackgroundWork``.
    let ticket: Int?
    /// The values of the child store that it was registered in, when that closed.
    var values: ValueTable?
}

extension StoreCore {
    /// Registers work for after the response (rule 20).
    func leave(
        _ name: String,
        _ condition: AfterResponseCondition,
        _ work: @escaping @Sendable () async throws -> Void
    ) throws(RequestStoreError) {
        guard !isClosed else { throw error(.requestEnded, key: name) }
        let ticket = try admit(name)
        let job = PendingJob(name: name, condition: condition, work: work, ticket: ticket)
        let isOpen = state.withLock { state in
            guard state.lifecycle.phase != .closed else { return false }
            state.jobs.append(job)
            return true
        }
        guard isOpen else {
            withdraw([job])
            throw error(.requestEnded, key: name)
        }
    }

    private func admit(_ name: String) throws(RequestStoreError) -> Int? {
        guard isOwned else { throw error(.privateStore, key: name) }
        switch background {
        case .nobody: throw error(.noBackgroundWork, key: name)
        case .opener: return nil
        case .work(let work, let isJob):
            switch work.admit(isFromJob: isJob) {
            case .success(let ticket): return ticket
            case .failure(.full): throw error(.backgroundWorkFull(work.limits.admitted), key: name)
            case .failure(.notRunning): throw error(.backgroundWorkNotRunning, key: name)
            }
        }
    }

    private func withdraw(_ jobs: [PendingJob]) {
        guard case .work(let work, _) = background else { return }
        for ticket in jobs.compactMap(\.ticket) { work.withdraw(ticket) }
    }

    /// Hands over the work that was registered: the store has closed.
    ///
    /// - Parameters:
    ///   - jobs: The work.
    ///   - values: The store's values when it closed.
    ///   - verdict: What became of the request.
    func handOver(_ jobs: [PendingJob], _ values: ValueTable, _ verdict: RequestOutcome.Verdict) {
        let isRun: (PendingJob) -> Bool = { $0.condition == .always || verdict == .commit }
        withdraw(jobs.filter { !isRun($0) })
        let jobs = jobs.filter(isRun)
        guard !jobs.isEmpty else { return }
        if let parent {
            let visible = parent.visibleValues.overlaid(by: values.carried)
            let left = jobs.map { job in
                var job = job
                job.values = job.values ?? visible
                return job
            }
            // A parent closes after its children.
            return parent.state.withLock { $0.jobs.append(contentsOf: left) }
        }
        let ready = jobs.map { job in
            BackgroundJob(
                ticket: job.ticket ?? 0,
                name: job.name,
                work: job.work,
                values: (job.values ?? values).carried,
                origin: self
            )
        }
        switch background {
        case .nobody: break
        case .work(let work, _): for job in ready { work.enqueue(job) }
        case .opener:
            let openerHasLeft = state.withLock { state in
                if !state.openerHasLeft { state.jobsOfOpener = ready }
                return state.openerHasLeft
            }
            // A release overran, and the opener did not wait for it.
            if openerHasLeft { Task.detached { for job in ready { await job.run() } } }
        }
    }

    /// The values as they are read in this store, but for those that no work gets.
    private var visibleValues: ValueTable {
        let own = slot.memory.values(of: identity).carried
        guard let parent else { return own }
        return parent.visibleValues.overlaid(by: own)
    }

    /// Runs what the store has left to its opener, and returns when it is done.
    ///
    /// The opener's cancellation does not reach it.
    nonisolated(nonsending) func runJobsHere() async {
        let jobs = state.withLock { state in
            state.openerHasLeft = true
            defer { state.jobsOfOpener = [] }
            return state.jobsOfOpener
        }
        guard !jobs.isEmpty else { return }
        await Task.immediate { for job in jobs { await job.run() } }.value
    }
}
