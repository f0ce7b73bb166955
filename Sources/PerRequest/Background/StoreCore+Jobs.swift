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
    /// What observers are told of it; `nil` where there are none.
    let observed: RequestEvent.Job?
}

extension PendingJob {
    func isRun(after verdict: RequestOutcome.Verdict) -> Bool { condition == .always || verdict == .commit }
}

extension StoreCore {
    /// Registers work for after the response (rule 20).
    func leave(
        _ name: String,
        _ condition: AfterResponseCondition,
        _ work: @escaping @Sendable () async throws -> Void
    ) throws(RequestStoreError) {
        guard !isClosed else { throw error(.requestEnded, key: name) }
        let observed = isObserved ? RequestEvent.Job(named: name) : nil
        let job = PendingJob(
            ticket: try admit(name),
            name: name,
            condition: condition,
            work: work,
            observed: observed
        )
        // Before anything can become of it on another thread.
        if let observed { tell(.other(.jobAdmitted(observed))) }
        let isOpen = request.state.withLock { state in
            guard state.lifecycle.phase(of: scope) != .closed else { return false }
            state.change(scope) { $0.rest.jobs.append(job) }
            return true
        }
        guard isOpen else {
            giveUp([job])
            throw error(.requestEnded, key: name)
        }
    }

    private func admit(_ name: String) throws(RequestStoreError) -> Int {
        guard isOwned else { throw error(.privateStore, key: name) }
        let work: BackgroundWork
        let isJob: Bool
        switch configuration.background {
        case .nobody: throw error(.noBackgroundWork, key: name)
        case .opener: return BackgroundLine.nextTicket()
        case .work(let owner): (work, isJob) = (owner, false)
        case .sameLine:
            guard let owner = line?.work else { return BackgroundLine.nextTicket() }
            (work, isJob) = (owner, true)
        }
        switch work.admit(isFromJob: isJob) {
        case .success(let ticket): return ticket
        case .failure(.full): throw error(.backgroundWorkFull(work.limits.admitted), key: name)
        case .failure(.notRunning): throw error(.backgroundWorkNotRunning, key: name)
        }
    }

    /// Withdraws work that was admitted and does not run.
    func giveUp(_ jobs: [PendingJob]) {
        withdraw(jobs)
        for job in jobs { if let observed = job.observed { tell(.other(.jobEnded(observed, .withdrawn))) } }
    }

    private func withdraw(_ jobs: [PendingJob]) {
        guard !jobs.isEmpty else { return }
        switch configuration.background {
        case .nobody, .opener: break
        case .work(let work): work.withdraw(jobs.map(\.ticket))
        case .sameLine: line?.work?.withdraw(jobs.map(\.ticket))
        }
    }

    /// The line of the job whose store this is.
    private var line: BackgroundLine? { (receiver as? BackgroundJob)?.line }

    /// Hands over the work that was registered: the store has closed.
    ///
    /// - Parameters:
    ///   - jobs: The work.
    ///   - values: The store's values when it closed.
    ///   - verdict: What became of the request.
    func handOver(_ jobs: [PendingJob], _ values: ValueTable, _ verdict: RequestOutcome.Verdict) {
        let withdrawn = jobs.filter { !$0.isRun(after: verdict) }
        giveUp(withdrawn)
        let jobs = withdrawn.isEmpty ? jobs : jobs.filter { $0.isRun(after: verdict) }
        guard !jobs.isEmpty else { return }
        switch configuration.background {
        case .nobody: break
        case .sameLine:
            guard let line else { break }
            line.append(ready(jobs, values, in: line))
        case .work(let work):
            let line = BackgroundLine(of: self, runBy: work)
            line.append(ready(jobs, values, in: line))
        case .opener:
            let line = BackgroundLine(of: self, runBy: nil)
            line.append(ready(jobs, values, in: line))
            let openerHasLeft = request.state.withLock { state in
                if !state.own.openerHasLeft { state.own.rest.lineOfOpener = line }
                return state.own.openerHasLeft
            }
            // A release overran, and the opener did not wait for it.
            if openerHasLeft { line.runDetached() }
        }
    }

    /// The work that a child leaves to its parent, with the values that it saw.
    ///
    /// Called under the request's lock: the parent, which closes after the child, may close with the same event.
    func left(_ jobs: [PendingJob], _ values: ValueTable) -> [PendingJob] {
        var tables = [values.carried]
        var next = parent
        while let address = next {
            tables.append(address.slot.memory.values(of: address.number).carried)
            next = address.slot.memory.core(of: address.number)?.parent
        }
        let visible = tables.reversed().reduce(ValueTable()) { $0.overlaid(by: $1) }
        return jobs.map { job in
            var job = job
            job.values = job.values ?? visible
            return job
        }
    }

    /// The jobs in the order in which they were registered, whichever store of the request that was in.
    private func ready(_ jobs: [PendingJob], _ values: ValueTable, in line: BackgroundLine) -> [BackgroundJob] {
        let (carried, configuration) = (values.carried, configuration.ofJobs)
        let ordered = jobs.count == 1 ? jobs : jobs.sorted { $0.ticket < $1.ticket }
        return ordered.map { job in
            BackgroundJob(job, job.values ?? carried, in: line, configuration)
        }
    }

    /// Runs what the store has left to its opener, and returns when it is done.
    ///
    /// The opener's cancellation does not reach it.
    nonisolated(nonsending) func runJobsHere() async {
        let line: BackgroundLine? = request.state.withLock { state in
            state.change(scope) { state in
                state.openerHasLeft = true
                return state.takeLine()
            }
        }
        await line?.run()
    }
}
