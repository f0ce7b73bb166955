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
    var served: RequestEvent.Served?
    var settled: (at: Time, verdict: RequestOutcome.Verdict)?
    private(set) var end: End?
    var phases: [(phase: RequestEvent.Phase, from: Time)] = []
    var acquisitions: [Acquisition] = []
    var calls: [Call] = []
    var jobs: [Job] = []
    var limits: [Limit] = []
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
        values = []
        return (store, parts)
    }

    /// Notes what is set, if anything is: a store that closes may be empty already.
    mutating func note(_ present: [Value], admits: () -> Bool) {
        guard !present.isEmpty else { return }
        while admittedValues < present.count, isAdmitted(admits) { admittedValues += 1 }
        values = admittedValues < present.count ? Array(present.prefix(admittedValues)) : present
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

    /// Counts one more part.
    ///
    /// - Parameter admits: Whether there is room for it in all.
    /// - Returns: Whether it may be added.
    mutating func isAdmitted(_ admits: () -> Bool) -> Bool {
        guard parts < Self.partLimit, admits() else {
            dropped += 1
            return false
        }
        parts += 1
        return true
    }

    // What there is an end of began not long ago, as a rule: the last one comes first.

    mutating func end(_ call: RequestEvent.Call, _ now: Time, _ error: String?) {
        guard let index = calls.lastIndex(where: { $0.call.id == call.id && $0.to == nil }) else { return }
        calls[index].to = now
        calls[index].error = error
    }

    @inline(__always)
    mutating func change(_ acquisition: RequestEvent.Acquisition, _ body: (inout Acquisition) -> Void) {
        let id = acquisition.id
        guard let index = acquisitions.lastIndex(where: { $0.id == id }) else { return }
        body(&acquisitions[index])
    }

    mutating func change(_ job: RequestEvent.Job, _ body: (inout Job) -> Void) {
        guard let index = jobs.lastIndex(where: { $0.id == job.id }) else { return }
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

extension RequestEvent.Served {
    /// The same, with texts of a bounded length.
    var bounded: RequestEvent.Served {
        RequestEvent.Served(transport: transport.bounded(), method: method.bounded(), route: route?.bounded())
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
