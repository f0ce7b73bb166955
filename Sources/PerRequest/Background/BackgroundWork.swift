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
/// **Isolation.** May be used from any task and thread. The jobs of one request run one after another, in the order in which
/// they were registered, and so do those that its jobs register: at the end of the same line. Those of different requests
/// run side by side, at most ``Limits/concurrent`` at a time; the request that has waited longest has the next turn. Each
/// job has a store and a task of its own, with the priority and the task-locals of ``runUntilShutdown()``, on the global
/// executor.
///
/// **Cancellation.** Cancelling the task of ``runUntilShutdown()`` cuts the work off at once, as if the time to drain had
/// passed: what runs is cancelled, and has ``Limits/grace`` to end. The cancellation of a request reaches none of its jobs.
///
/// **Errors.** What a job throws is reported with the request's id, and the next one runs; a job is never tried again. Each
/// is reported once: one that was reported as cut off and goes on is not heard of again.
public final class BackgroundWork: Sendable {
    /// How much work there may be, and how long it may take to end.
    public struct Limits: Sendable {
        /// How many jobs may be admitted and not done; beyond it, registering throws.
        public var admitted: Int
        /// How many jobs run at a time, each of another request.
        public var concurrent: Int
        /// How long ``BackgroundWork/shutDown()`` lets the admitted jobs go on.
        public var drain: Duration
        /// How long jobs that were cancelled may take to end.
        ///
        /// Who runs the work does not wait for them any longer: a job that ignores its cancellation is reported as cut off
        /// and goes on by itself.
        public var grace: Duration

        /// Makes limits.
        ///
        /// - Parameters:
        ///   - admitted: How many jobs may be admitted and not done.
        ///   - concurrent: How many jobs run at a time, each of another request.
        ///   - drain: How long the admitted jobs may go on after shutting down.
        ///   - grace: How long jobs that were cancelled may take to end.
        public init(
            admitted: Int = 10_000,
            concurrent: Int = 16,
            drain: Duration = .seconds(30),
            grace: Duration = .seconds(5)
        ) {
            self.admitted = admitted
            self.concurrent = concurrent
            self.drain = drain
            self.grace = grace
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
        /// The jobs that wait for their turn or run and have not been reported, by ticket.
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
    public var counts: Counts { state.withLock { $0.queue.counts } }
}

// MARK: - Running

extension BackgroundWork {
    /// Runs the work, until ``shutDown()`` was called and everything that was admitted is done or was cut off.
    ///
    /// It returns when ``Limits/drain`` and ``Limits/grace`` have passed at the latest, also where a job ignores its
    /// cancellation. To be called once; a second call returns at once.
    public func runUntilShutdown() async {
        guard state.withLock({ $0.queue.start() }) else { return }
        tellStarters()
        let over = Waiter()
        // No child of this task, which would have to wait for a job that ignores its cancellation.
        _ = ScopeOwnership.withNone {
            Task(name: "work after the response") {
                await runJobs(over)
                over.resume(.success(nil))
            }
        }
        _ = await withTaskCancellationHandler {
            await over.wait()
        } onCancel: {
            cut()
        }
        reportWhatIsLeft()
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
    /// What is not done after ``Limits/drain`` is cancelled, or does not start any more, and is reported by its name. What
    /// is not done after ``Limits/grace`` either goes on by itself. May be called from any task or thread.
    public func shutDown() {
        guard change({ $0.queue.drain() }) else { return }
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

    /// Runs jobs until there are no more or they are cut off, and waits for those that have started.
    ///
    /// - Parameter over: Told when they have been cancelled and ``Limits/grace`` has passed.
    private func runJobs(_ over: Waiter) async {
        var grace: Deadlines.Token?
        await withDiscardingTaskGroup { group in
            while let jobs = await nextJobs() {
                for job in jobs {
                    group.addTask(name: "after response: \(job.name)") { self.ended(job, await job.run()) }
                }
            }
            if end() { grace = Deadlines.shared.schedule(after: limits.grace) { over.resume(.success(nil)) } }
            group.cancelAll()
        }
        if let grace { Deadlines.shared.cancel(grace) }
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
    @discardableResult
    private func change<Result: Sendable>(_ body: (inout sending State) -> Result) -> Result {
        let (result, runner) = state.withLock { state in
            let result = body(&state)
            defer { state.runner = nil }
            return (result, state.runner)
        }
        runner?.resume(.success(nil))
        return result
    }

    private func ended(_ job: BackgroundJob, _ end: BackgroundJob.End) {
        // It is done when it has been reported, and it is reported once.
        let unreported = state.withLock { $0.jobs.removeValue(forKey: job.ticket) }
        unreported?.report(end)
        change { $0.queue.ended(job.ticket) }
    }

    /// Ends the queue, and reports what was not started.
    ///
    /// - Returns: Whether jobs run.
    private func end() -> Bool {
        let (givenUp, deadline, isRunning) = state.withLock { state in
            let waiting = state.queue.end().compactMap { state.jobs.removeValue(forKey: $0) }
            return (waiting, state.deadline, state.queue.counts.running > 0)
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        for job in givenUp { job.report(.cut) }
        return isRunning
    }

    /// Reports the jobs that ignore their cancellation.
    private func reportWhatIsLeft() {
        let left = state.withLock { state in
            var jobs: [Int: BackgroundJob] = [:]
            swap(&jobs, &state.jobs)
            return jobs.values
        }
        for job in left.sorted(by: { $0.ticket < $1.ticket }) { job.report(.cut) }
    }
}

// MARK: - Jobs

extension BackgroundWork {
    /// Gives a job a place.
    func admit(isFromJob: Bool) -> Result<Int, BackgroundQueue.Refusal> {
        state.withLock { $0.queue.admit(isFromJob: isFromJob) }
    }

    /// Gives back the places of jobs that are not to run.
    func withdraw(_ tickets: [Int]) {
        change { state in
            for ticket in tickets { state.queue.withdraw(ticket) }
        }
    }

    /// Puts jobs at the end of their line: who left them is over.
    func enqueue(_ jobs: [BackgroundJob]) {
        let refused = change { state in
            jobs.filter { job in
                guard state.queue.enqueue(job.ticket, line: job.line.origin.identity) else { return true }
                state.jobs[job.ticket] = job
                return false
            }
        }
        for job in refused { job.report(.cut) }
    }
}
