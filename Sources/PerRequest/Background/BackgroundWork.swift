import Synchronization

/// Owns the work that requests leave for after their response: `RequestStore.afterResponse`.
///
/// Make one for the application, give it to the adapter, and run it as a service:
///
/// ```swift
/// let work = BackgroundWork()
/// let app = Application(router: router, requestStore: .http1(background: work))    // runs it, too
/// ```
///
/// Elsewhere, add the product `PerRequestServiceLifecycle`, which makes it a `Service`, or call ``runUntilShutdown()``.
///
/// **Lifetime.** It runs once: from ``runUntilShutdown()`` until ``shutDown()`` and the end of what it has admitted. Before
/// and after, it refuses work.
///
/// **Isolation.** May be used from any task and thread. Jobs run in child tasks of ``runUntilShutdown()``, each in a store
/// of its own, at most ``Limits/concurrent`` at a time, in the order in which their requests ended.
///
/// **Cancellation.** Cancelling the task of ``runUntilShutdown()`` cuts the work off at once, as if the time to drain had
/// passed. The cancellation of a request reaches none of its jobs.
///
/// **Errors.** What a job throws is reported with the request's id; a job is never tried again.
public final class BackgroundWork: Sendable {
    /// How much work there may be, and how long it may take to end.
    public struct Limits: Sendable {
        /// How many jobs may be admitted and not done; beyond it, registering throws.
        public var admitted: Int
        /// How many jobs run at a time.
        public var concurrent: Int
        /// How long ``BackgroundWork/shutDown()`` lets the admitted jobs go on.
        public var drain: Duration

        /// Makes limits.
        ///
        /// - Parameters:
        ///   - admitted: How many jobs may be admitted and not done.
        ///   - concurrent: How many jobs run at a time.
        ///   - drain: How long the admitted jobs may go on after shutting down.
        public init(admitted: Int = 10_000, concurrent: Int = 16, drain: Duration = .seconds(30)) {
            self.admitted = admitted
            self.concurrent = concurrent
            self.drain = drain
        }
    }

    /// How much there is to do.
    public struct Counts: Sendable, Equatable {
        /// Jobs of requests that are still being served.
        public var reserved = 0
        /// Jobs that wait for their turn.
        public var waiting = 0
        /// Jobs that run.
        public var running = 0
    }

    struct State {
        var queue: BackgroundQueue
        /// The jobs that wait for their turn or run, by ticket.
        var jobs: [Int: BackgroundJob] = [:]
        /// Whoever waits for something to start, or for the end.
        var runner: Waiter?
        /// Those that wait for the start.
        var starters: [Waiter] = []
        var isCut = false
        /// The time after which what is left is cut off.
        var deadline: Deadlines.Token?
    }

    let limits: Limits
    let state: Lock<State>

    /// Makes an owner of work, which has to be run.
    ///
    /// - Parameter limits: How much work there may be, and how long it may take to end.
    public init(limits: Limits = Limits()) {
        precondition(limits.admitted > 0 && limits.concurrent > 0, "BackgroundWork has to admit and run a job at least")
        self.limits = limits
        state = Lock(State(queue: BackgroundQueue(limit: limits.admitted, concurrency: limits.concurrent)))
    }

    /// How much there is to do now.
    public var counts: Counts {
        state.withLock { state in
            state.queue.jobs.reduce(into: Counts()) { counts, job in
                switch job.state {
                case .reserved: counts.reserved += 1
                case .waiting: counts.waiting += 1
                case .running: counts.running += 1
                }
            }
        }
    }
}

// MARK: - Running

extension BackgroundWork {
    /// Runs the work, until ``shutDown()`` was called and everything that was admitted is done or was cut off.
    ///
    /// To be called once; a second call returns at once.
    public func runUntilShutdown() async {
        guard state.withLock({ $0.queue.start() }) else { return }
        tellStarters()
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while let jobs = await nextJobs() {
                    for job in jobs {
                        group.addTask(name: "after response: \(job.name)") {
                            self.ended(job, wasCut: await job.run())
                        }
                    }
                }
                // What is left now was cut off.
                end()
                group.cancelAll()
            }
        } onCancel: {
            cut()
        }
    }

    /// Returns when the work runs; at once if it runs already or has ended.
    public func untilRunning() async {
        let waiter = Waiter()
        let isStarted = state.withLock { state in
            guard state.queue.phase == .notStarted else { return true }
            state.starters.append(waiter)
            return false
        }
        if !isStarted { _ = await waiter.wait() }
    }

    private func tellStarters() {
        let starters = state.withLock { state in
            defer { state.starters = [] }
            return state.starters
        }
        for starter in starters { starter.resume(.success(nil)) }
    }

    /// Refuses what requests register from now on, and lets ``runUntilShutdown()`` return when all that was admitted is
    /// done.
    ///
    /// What is not done after ``Limits/drain`` is cancelled, and reported by its name. May be called from any task or thread.
    public func shutDown() {
        var isFirst = false
        change { isFirst = $0.queue.drain() }
        guard isFirst else { return }
        tellStarters()
        let deadline = Deadlines.shared.schedule(after: limits.drain) { [weak self] in self?.cut() }
        let isDone = state.withLock { state in
            state.deadline = deadline
            return state.queue.isDone
        }
        if isDone { Deadlines.shared.cancel(deadline) }
    }

    /// Cancels what runs and gives up what waits.
    private func cut() {
        change { $0.isCut = true }
    }

    /// Waits for jobs that may start.
    ///
    /// - Returns: `nil` when there will be no more.
    private func nextJobs() async -> [BackgroundJob]? {
        while true {
            let waiter = Waiter()
            let next: Next = state.withLock { state in
                if state.isCut { return .end }
                let jobs = state.queue.startable().compactMap { state.jobs[$0] }
                if !jobs.isEmpty { return .start(jobs) }
                if state.queue.isDone { return .end }
                state.runner = waiter
                return .wait
            }
            switch next {
            case .start(let jobs): return jobs
            case .end: return nil
            case .wait: _ = await waiter.wait()
            }
        }
    }

    private enum Next: Sendable {
        case start([BackgroundJob])
        case end
        case wait
    }

    /// Changes the state, and lets the runner look at it.
    private func change(_ body: (inout sending State) -> Void) {
        let runner: Waiter? = state.withLock { state in
            body(&state)
            defer { state.runner = nil }
            return state.runner
        }
        runner?.resume(.success(nil))
    }

    private func ended(_ job: BackgroundJob, wasCut: Bool) {
        var isReported = false
        change { state in
            state.queue.ended(job.ticket)
            isReported = state.jobs.removeValue(forKey: job.ticket) == nil
        }
        if wasCut, !isReported { job.reportCut() }
    }

    /// Ends the queue, and reports what was cut off.
    private func end() {
        let (cut, deadline) = state.withLock { state in
            state.queue.end()
            defer { state.jobs = [:] }
            return (state.jobs.values.sorted { $0.ticket < $1.ticket }, state.deadline)
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        for job in cut { job.reportCut() }
    }
}

// MARK: - Jobs

extension BackgroundWork {
    /// Gives a job a place.
    func admit(isFromJob: Bool) -> Result<Int, BackgroundQueue.Refusal> {
        state.withLock { $0.queue.admit(isFromJob: isFromJob) }
    }

    /// Gives back the place of a job that is not to run.
    func withdraw(_ ticket: Int) {
        change { $0.queue.withdraw(ticket) }
    }

    /// Puts a job in the line: its request is over.
    func enqueue(_ job: BackgroundJob) {
        var isAccepted = false
        change { state in
            isAccepted = state.queue.enqueue(job.ticket)
            if isAccepted { state.jobs[job.ticket] = job }
        }
        if !isAccepted { job.reportCut() }
    }
}
