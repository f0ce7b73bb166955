#if Metrics
public import Metrics
public import PerRequest
import Synchronization

/// Records what happens to requests and in their stores, through swift-metrics.
///
/// ```swift
/// let app = Application(router: router, requestStore: .http1(observers: [RequestMetrics()]))
/// ```
///
/// Durations are timers, in nanoseconds as all of swift-metrics' timers; what is there at a time is a meter; the rest are counters.
///
/// | name | kind | labels |
/// |---|---|---|
/// | `request_store.requests.open` | meter | |
/// | `request_store.request.duration` | timer | `ending`, `verdict` |
/// | `request_store.resources.held` | meter | `key` |
/// | `request_store.acquisition.duration` | timer | `key` |
/// | `request_store.acquisition.failures` | counter | `key` |
/// | `request_store.wait.duration` | timer | `key` |
/// | `request_store.hold.duration` | timer | `key` |
/// | `request_store.release.duration` | timer | `key` |
/// | `request_store.release.failures` | counter | `key` |
/// | `request_store.jobs.waiting`, `request_store.jobs.running` | meter | |
/// | `request_store.job.duration` | timer | `ending` |
/// | `request_store.limits.passed` | counter | `limit` |
///
/// A child store is a part of its request, and a job's store none of its own. A job waits from its registration until it starts.
///
/// **Labels.** What a client sends is in none of them. A key is its declared name; the names of keys beyond the first
/// `keyLimit` are recorded as `other`.
///
/// **Lifetime.** One serves all requests of a process. What it keeps ends with what it is about.
///
/// **Isolation.** May be used from any task and thread.
public final class RequestMetrics: RequestObserver {
    struct State: Sendable {
        var requests: [RequestStore: ContinuousClock.Instant] = [:]
        /// The stores of jobs, which have not been opened or not been closed.
        var jobStores: Set<RequestStore> = []
        /// Since when each acquisition is in the stage that it is in.
        var stages: [RequestEvent.Acquisition.ID: (since: ContinuousClock.Instant, isReleasing: Bool)] = [:]
        var waits: [RequestEvent.Call.ID: ContinuousClock.Instant] = [:]
        /// When each job started; `nil` for those that wait.
        var jobs: [RequestEvent.Job.ID: ContinuousClock.Instant?] = [:]
    }

    private let state = Mutex(State())
    private let instruments: Instruments

    /// Makes an observer for all requests of an application.
    ///
    /// - Parameters:
    ///   - factory: Where the metrics go; where `MetricsSystem` was told to send them by default.
    ///   - keyLimit: How many keys have labels of their own.
    public init(factory: any MetricsFactory = MetricsSystem.factory, keyLimit: Int = 200) {
        instruments = Instruments(factory: factory, keyLimit: keyLimit)
    }

    /// Records what has happened.
    public func observe(_ event: RequestEvent) {
        let now = event.instant
        switch event.kind {
        case .opened, .closed: observePhase(event)
        case .acquiring(let acquisition):
            state.withLock { $0.stages[acquisition.id] = (now, false) }
        case .acquired(let acquisition):
            let began = state.withLock { $0.stages.updateValue((now, false), forKey: acquisition.id) }
            let key = instruments.key(acquisition.key)
            if let began { key.acquisition.record(began.since, now) }
            key.held.increment()
        case .computed(let acquisition):
            let began = state.withLock { $0.stages.removeValue(forKey: acquisition.id) }
            if let began { instruments.key(acquisition.key).acquisition.record(began.since, now) }
        case .acquisitionFailed(let acquisition, _):
            let began = state.withLock { $0.stages.removeValue(forKey: acquisition.id) }
            let key = instruments.key(acquisition.key)
            if let began { key.acquisition.record(began.since, now) }
            key.acquisitionFailures.increment()
        case .releasing(let acquisition, _):
            let began = state.withLock { $0.stages.updateValue((now, true), forKey: acquisition.id) }
            if let began { instruments.key(acquisition.key).hold.record(began.since, now) }
        case .released(let acquisition, let error):
            let began = state.withLock { $0.stages.removeValue(forKey: acquisition.id) }
            let key = instruments.key(acquisition.key)
            // Of what ends by itself, no release is told.
            if let began { (began.isReleasing ? key.release : key.hold).record(began.since, now) }
            if error != nil { key.releaseFailures.increment() }
            key.held.decrement()
        case .waitBegan(let call): state.withLock { $0.waits[call.id] = now }
        case .waitEnded(let call, _):
            let began = state.withLock { $0.waits.removeValue(forKey: call.id) }
            if let began { instruments.key(call.acquisition.key).wait.record(began, now) }
        case .limitPassed(let limit): instruments.limit(limit.subject.label).increment()
        case .jobAdmitted, .jobStarted, .jobEnded: observeJob(event)
        default: break
        }
    }

    private func observePhase(_ event: RequestEvent) {
        switch event.kind {
        case .opened(parent: nil):
            let isRequest = state.withLock { state in
                guard !state.jobStores.contains(event.store) else { return false }
                state.requests[event.store] = event.instant
                return true
            }
            if isRequest { instruments.open.increment() }
        case .closed(let outcome):
            let opened = state.withLock { state in
                state.jobStores.remove(event.store)
                return state.requests.removeValue(forKey: event.store)
            }
            guard let opened else { return }
            instruments.open.decrement()
            instruments.request(outcome).record(opened, event.instant)
        default: break
        }
    }

    private func observeJob(_ event: RequestEvent) {
        switch event.kind {
        case .jobAdmitted(let job):
            state.withLock { $0.jobs[job.id] = .some(nil) }
            instruments.jobsWaiting.increment()
        case .jobStarted(let job, let store):
            state.withLock { state in
                state.jobs[job.id] = event.instant
                state.jobStores.insert(store)
            }
            instruments.jobsWaiting.decrement()
            instruments.jobsRunning.increment()
        case .jobEnded(let job, let end):
            guard let entry = state.withLock({ $0.jobs.removeValue(forKey: job.id) }) else { return }
            guard let started = entry else { return instruments.jobsWaiting.decrement() }
            instruments.jobsRunning.decrement()
            instruments.job(end.label).record(started, event.instant)
        default: break
        }
    }
}
#endif
