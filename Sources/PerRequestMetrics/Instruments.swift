#if Metrics
import Metrics
import PerRequest
import Synchronization

/// What ``RequestMetrics`` records on: made once for each label, because making one is slow.
final class Instruments: Sendable {
    /// What is recorded of one key.
    final class Key: Sendable {
        let held: Meter
        let acquisition, wait, hold, release: Timer
        let acquisitionFailures, releaseFailures: Counter

        init(_ name: String, _ factory: any MetricsFactory) {
            func timer(_ what: String) -> Timer {
                Timer(label: "request_store.\(what).duration", dimensions: [("key", name)], factory: factory)
            }
            func failures(_ what: String) -> Counter {
                Counter(label: "request_store.\(what).failures", dimensions: [("key", name)], factory: factory)
            }
            held = Meter(label: "request_store.resources.held", dimensions: [("key", name)], factory: factory)
            acquisition = timer("acquisition")
            wait = timer("wait")
            hold = timer("hold")
            release = timer("release")
            acquisitionFailures = failures("acquisition")
            releaseFailures = failures("release")
        }
    }

    let open, jobsWaiting, jobsRunning: Meter
    private let keys = Mutex<[String: Key]>([:])
    private let timers = Mutex<[String: Timer]>([:])
    private let counters = Mutex<[String: Counter]>([:])
    private let factory: any MetricsFactory
    private let keyLimit: Int

    init(factory: any MetricsFactory, keyLimit: Int) {
        self.factory = factory
        self.keyLimit = keyLimit
        open = Meter(label: "request_store.requests.open", factory: factory)
        jobsWaiting = Meter(label: "request_store.jobs.waiting", factory: factory)
        jobsRunning = Meter(label: "request_store.jobs.running", factory: factory)
    }

    func key(_ name: String) -> Key {
        keys.withLock { keys in
            if let key = keys[name] { return key }
            let name = keys.count < keyLimit ? name : "other"
            if let key = keys[name] { return key }
            let key = Key(name, factory)
            keys[name] = key
            return key
        }
    }

    func request(_ outcome: RequestOutcome) -> Timer {
        let (ending, verdict) = (outcome.ending.label, "\(outcome.verdict)")
        return timers.withLock { timers in
            timers[
                "\(ending) \(verdict)",
                orMake: Timer(
                    label: "request_store.request.duration",
                    dimensions: [("ending", ending), ("verdict", verdict)],
                    factory: factory
                )
            ]
        }
    }

    func job(_ ending: String) -> Timer {
        timers.withLock { timers in
            timers[
                "job \(ending)",
                orMake: Timer(
                    label: "request_store.job.duration",
                    dimensions: [("ending", ending)],
                    factory: factory
                )
            ]
        }
    }

    func limit(_ name: String) -> Counter {
        counters.withLock { counters in
            counters[
                name,
                orMake: Counter(
                    label: "request_store.limits.passed",
                    dimensions: [("limit", name)],
                    factory: factory
                )
            ]
        }
    }
}

extension Dictionary {
    fileprivate subscript(key: Key, orMake make: @autoclosure () -> Value) -> Value {
        mutating get {
            if let value = self[key] { return value }
            let value = make()
            self[key] = value
            return value
        }
    }
}

extension Timer {
    func record(_ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) {
        let parts = start.duration(to: end).components
        recordNanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}

// MARK: - Labels

extension RequestOutcome.Ending {
    var label: String {
        switch self {
        case .completed: "completed"
        case .failed: "failed"
        case .clientDisconnected: "client_disconnected"
        case .cancelled: "cancelled"
        case .abandoned: "abandoned"
        }
    }
}

extension RequestEvent.Job.End {
    var label: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .cut: "cut"
        case .withdrawn: "withdrawn"
        }
    }
}

extension RequestEvent.Limit.Subject {
    var label: String {
        switch self {
        case .acquisition: "acquisition"
        case .cancellation: "cancellation"
        case .use: "use"
        case .release: "release"
        case .hold: "hold"
        case .point(.beforeResponse): "before_response"
        case .point(.afterResponse): "after_response"
        }
    }
}
#endif
