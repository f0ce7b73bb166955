#if Inspector
import PerRequest

/// What has happened in one store: plain values, which keep no store and no value of a request.
///
/// It has so many parts at most, and each is of a bounded size: a part is what an event begins, an acquisition or a call or a job,
/// a phase, a limit that has passed, or a value.
struct Timeline: Sendable {
    /// How many parts one has at most.
    static let partLimit = 400

    /// A value under the key of a tag, as it is shown, if it is.
    typealias Value = (tag: Int32, shown: String?)

    private(set) var number = 0
    private(set) var parent: Int?
    private(set) var opened = Time(.zero)
    /// Whether it is a store's.
    private(set) var isKept = false
    /// Where an open one is on the recorder's shelf.
    private(set) var place = 0
    /// The store, while it is open.
    private(set) var store: RequestStore?
    /// The look in which it changed: see ``Recorder``.
    var changed = 0

    private(set) var parts = 0
    private(set) var dropped = 0
    private(set) var served: RequestEvent.Served?
    private(set) var settled: (at: Time, verdict: RequestOutcome.Verdict)?
    private(set) var end: End?
    private(set) var phases: [(phase: RequestEvent.Phase, from: Time)] = []
    private(set) var acquisitions: [Acquisition] = []
    private(set) var calls: [Call] = []
    private(set) var jobs: [Job] = []
    private(set) var limits: [Limit] = []
    /// What was set when that was last looked at.
    private(set) var values: [Value] = []
    /// The request's id, as the application has it, once that was asked for.
    private(set) var name = ""
    private var admittedValues = 0

    /// Begins the one of a store.
    mutating func open(_ store: RequestStore, parent: RequestStore?, at time: Time, _ place: Int) {
        number = store.identity
        self.parent = parent?.identity
        opened = time
        isKept = true
        self.place = place
        self.store = store
        phases.reserveCapacity(7)
    }

    /// Makes it one of no store; the memory of what there was is kept for the next one, if it is little.
    ///
    /// - Returns: The store, to be let go where no lock is held, and how many parts there were.
    mutating func clear() -> (store: RequestStore?, parts: Int) {
        let (store, parts) = (store.take(), parts)
        (isKept, self.parts, dropped, admittedValues) = (false, 0, 0, 0)
        (served, settled, end) = (nil, nil, nil)
        phases.empty()
        acquisitions.empty()
        calls.empty()
        jobs.empty()
        limits.empty()
        values.empty()
        return (store, parts)
    }

    /// Notes what has happened.
    ///
    /// - Parameters:
    ///   - event: What has happened; neither the store's opening nor its close.
    ///   - error: The error that it tells of.
    ///   - admits: Whether there is room for one more part.
    mutating func note(_ event: RequestEvent, _ error: String?, admits: () -> Bool) {
        let now = Time(event.elapsed)
        switch event.kind {
        case .settled(let verdict): settled = (now, verdict)
        case .acquiring(let acquisition):
            if isAdmitted(admits) { acquisitions.append(Acquisition(acquisition, from: now)) }
        case .acquired(let acquisition): change(acquisition.id) { $0.acquired = now }
        case .computed(let acquisition): change(acquisition.id) { $0.computed = now }
        case .acquisitionFailed(let acquisition, _):
            change(acquisition.id) { acquisition in
                acquisition.failed = now
                acquisition.error = error
            }
        case .releasing(let acquisition, let verdict): change(acquisition.id) { $0.releasing = (now, verdict) }
        case .released(let acquisition, _):
            change(acquisition.id) { acquisition in
                acquisition.released = now
                acquisition.releaseError = error
            }
        case .waitBegan(let call): begin(call, isUse: false, now, admits)
        case .useBegan(let call): begin(call, isUse: true, now, admits)
        case .waitEnded(let call, _): end(call, now, error)
        case .useEnded(let call): end(call, now, nil)
        case .limitPassed(let limit):
            if isAdmitted(admits) { limits.append(Limit(limit, at: now)) }
        case .jobAdmitted(let job):
            if isAdmitted(admits) { jobs.append(Job(job, admitted: now)) }
        case .jobStarted(let job, let store):
            change(job.id) { job in
                job.started = now
                job.store = store.identity
            }
        case .jobEnded(let job, let end):
            change(job.id) { job in
                job.ended = now
                job.end = Job.End(end)
                job.error = error
            }
        case .serving(let served):
            self.served = RequestEvent.Served(
                transport: served.transport.bounded(),
                method: served.method.bounded(),
                route: served.route?.bounded()
            )
        case .entered(let phase):
            if isAdmitted(admits) { phases.append((phase, now)) }
        case .opened, .closed: break
        }
    }

    /// Notes what is set, if anything is: a store that closes may be empty already.
    mutating func note(_ present: [Value], admits: () -> Bool) {
        guard !present.isEmpty else { return }
        while admittedValues < present.count, isAdmitted(admits) { admittedValues += 1 }
        values = Array(present.prefix(admittedValues))
    }

    /// Notes that the store has closed, and lets go of it.
    ///
    /// - Returns: The store, to be let go where no lock is held.
    mutating func close(_ end: End) -> RequestStore? {
        self.end = end
        return store.take()
    }

    /// The same to be shown, with the name and the values that an open store has now, and without the store.
    ///
    /// It runs a user's code: not under a lock.
    var shown: Timeline {
        var shown = self
        if let end { shown.name = end.name.description.bounded() }
        guard let store else { return shown }
        shown.store = nil
        shown.name = store.id.bounded()
        let present = store.presentValues
        if !present.isEmpty { shown.values = present }
        return shown
    }

    private mutating func isAdmitted(_ admits: () -> Bool) -> Bool {
        guard parts < Self.partLimit, admits() else {
            dropped += 1
            return false
        }
        parts += 1
        return true
    }

    private mutating func begin(_ call: RequestEvent.Call, isUse: Bool, _ now: Time, _ admits: () -> Bool) {
        if isAdmitted(admits) { calls.append(Call(call, isUse: isUse, from: now)) }
    }

    private mutating func end(_ call: RequestEvent.Call, _ now: Time, _ error: String?) {
        guard let index = calls.lastIndex(where: { $0.call.id == call.id && $0.to == nil }) else { return }
        calls[index].to = now
        calls[index].error = error
    }

    // What there is an end of began not long ago, as a rule: the last one comes first.

    private mutating func change(_ id: RequestEvent.Acquisition.ID, _ body: (inout Acquisition) -> Void) {
        guard let index = acquisitions.lastIndex(where: { $0.id == id }) else { return }
        body(&acquisitions[index])
    }

    private mutating func change(_ id: RequestEvent.Job.ID, _ body: (inout Job) -> Void) {
        guard let index = jobs.lastIndex(where: { $0.id == id }) else { return }
        body(&jobs[index])
    }
}

extension Array {
    /// Removes all; the memory is kept, if it is little.
    fileprivate mutating func empty() {
        guard !isEmpty else { return }
        if capacity <= 16 { removeAll(keepingCapacity: true) } else { self = [] }
    }
}

extension RequestStore {
    /// The values that are set, as they are shown.
    ///
    /// It runs a user's code: not under a lock.
    var presentValues: [Timeline.Value] {
        var values = inspectedValues(limit: 32)
        for index in values.indices {
            if let shown = values[index].shown { values[index].shown = shown.bounded() }
        }
        return values
    }
}

extension String {
    /// The text, or its beginning where it is longer than that, in bytes: with a mark that there was more.
    func bounded(_ limit: Int = 200) -> String {
        guard utf8.count > limit else { return self }
        return String(decoding: utf8.prefix(limit), as: UTF8.self) + "…"
    }
}
#endif
