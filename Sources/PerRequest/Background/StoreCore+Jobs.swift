import Synchronization

/// Work that was registered and whose request is not over.
struct PendingJob: Sendable {
    /// Says in which order jobs were registered; with the application's ``BackgroundWork``, its place there.
    let ticket: Int
    let name: String
    let condition: AfterResponseCondition
    let work: @Sendable () async throws -> Void
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
        let job = PendingJob(ticket: try admit(name), name: name, condition: condition, work: work)
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

    private func admit(_ name: String) throws(RequestStoreError) -> Int {
        guard isOwned else { throw error(.privateStore, key: name) }
        let work: BackgroundWork
        let isJob: Bool
        switch background {
        case .nobody: throw error(.noBackgroundWork, key: name)
        case .opener: return BackgroundLine.nextTicket()
        case .work(let owner): (work, isJob) = (owner, false)
        case .line(let line):
            guard let owner = line.work else { return BackgroundLine.nextTicket() }
            (work, isJob) = (owner, true)
        }
        switch work.admit(isFromJob: isJob) {
        case .success(let ticket): return ticket
        case .failure(.full): throw error(.backgroundWorkFull(work.limits.admitted), key: name)
        case .failure(.notRunning): throw error(.backgroundWorkNotRunning, key: name)
        }
    }

    private func withdraw(_ jobs: [PendingJob]) {
        guard !jobs.isEmpty else { return }
        switch background {
        case .nobody, .opener: break
        case .work(let work): work.withdraw(jobs.map(\.ticket))
        case .line(let line): line.work?.withdraw(jobs.map(\.ticket))
        }
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
        if let parent { return leave(jobs, values, to: parent) }
        switch background {
        case .nobody: break
        case .line(let line): line.append(ready(jobs, values, in: line, configuration))
        case .work(let work):
            let line = BackgroundLine(of: self, runBy: work)
            line.append(ready(jobs, values, in: line, configuration.ofJobs(in: line)))
        case .opener:
            let line = BackgroundLine(of: self, runBy: nil)
            line.append(ready(jobs, values, in: line, configuration.ofJobs(in: line)))
            let openerHasLeft = state.withLock { state in
                if !state.openerHasLeft { state.lineOfOpener = line }
                return state.openerHasLeft
            }
            // A release overran, and the opener did not wait for it.
            if openerHasLeft { line.runDetached() }
        }
    }

    /// Leaves the work of a child to its parent, which closes after it.
    private func leave(_ jobs: [PendingJob], _ values: ValueTable, to parent: StoreCore) {
        let visible = parent.visibleValues.overlaid(by: values.carried)
        let left = jobs.map { job in
            var job = job
            job.values = job.values ?? visible
            return job
        }
        parent.state.withLock { $0.jobs.append(contentsOf: left) }
    }

    /// The jobs in the order in which they were registered, whichever store of the request that was in.
    private func ready(
        _ jobs: [PendingJob],
        _ values: ValueTable,
        in line: BackgroundLine,
        _ configuration: StoreConfiguration
    ) -> [BackgroundJob] {
        let carried = values.carried
        return jobs.sorted { $0.ticket < $1.ticket }.map { job in
            BackgroundJob(
                ticket: job.ticket,
                name: job.name,
                work: job.work,
                values: job.values ?? carried,
                line: line,
                configuration: configuration
            )
        }
    }

    /// The values as they are read in this store, but for those that no work gets.
    private var visibleValues: ValueTable {
        var tables: [ValueTable] = []
        var store: StoreCore? = self
        while let core = store {
            tables.append(core.slot.memory.values(of: core.identity).carried)
            store = core.parent
        }
        return tables.reversed().reduce(ValueTable()) { $0.overlaid(by: $1) }
    }

    /// Runs what the store has left to its opener, and returns when it is done.
    ///
    /// The opener's cancellation does not reach it.
    nonisolated(nonsending) func runJobsHere() async {
        let line = state.withLock { state in
            state.openerHasLeft = true
            return state.lineOfOpener.take()
        }
        await line?.run()
    }
}
