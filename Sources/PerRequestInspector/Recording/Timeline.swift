#if Inspector
import PerRequest

/// What has happened in one store: plain values, which keep no store and no value of a request.
///
/// It has so many parts at most, and each is of a bounded size: a part is what an event begins, an acquisition or a call or a job,
/// a phase, a limit that has passed, or a value.
struct Timeline: Sendable {
    /// How many parts one has at most.
    static let partLimit = 400
    private static let valueLimit = 32

    private(set) var number = 0
    private(set) var parent: Int?
    private(set) var opened = Moment(nanoseconds: 0)
    /// Whether it is a store's; and whether that is open.
    private(set) var isKept = false
    private(set) var isOpen = false
    /// Where an open one is on the recorder's shelf.
    private(set) var place = 0
    /// The store, while it is open.
    private(set) var store: RequestStore?
    /// The look in which it changed: see ``Recorder``.
    var changed = 0

    private(set) var parts = 0
    private(set) var dropped = 0
    var served: RequestEvent.Served?
    var settled: (at: Moment, verdict: RequestOutcome.Verdict)?
    private(set) var end: End?
    var phases: [(phase: RequestEvent.Phase, from: Moment)] = []
    var acquisitions: [Acquisition] = []
    var calls: [Call] = []
    var jobs: [Job] = []
    var limits: [Limit] = []
    /// The tags of the keys under which something was set when that was last looked at, and how it was shown, where it is.
    private(set) var tags: [Int32] = []
    var shownValues: [Int32: String] = [:]
    /// The request's id, as the application has it, once that was asked for.
    private(set) var name = ""
    private var admittedValues = 0

    /// Begins the one of a store.
    mutating func open(_ store: RequestStore, parent: RequestStore?, at time: Moment, _ place: Int) {
        number = store.identity
        self.parent = parent?.identity
        opened = time
        (isKept, isOpen) = (true, true)
        self.place = place
        self.store = store
        phases.reserveCapacity(7)
    }

    /// Makes it one of no store; the memory of what there was is kept for the next one, if it is little.
    ///
    /// - Returns: The store, to be let go where no lock is held, and how many parts there were.
    mutating func clear() -> (store: RequestStore?, parts: Int) {
        let (store, parts) = (store.take(), parts)
        if parts > admittedValues {
            // There is more than what is noted in any case.
            phases.empty()
            acquisitions.empty()
            calls.empty()
            jobs.empty()
            limits.empty()
        }
        tags.empty()
        if !shownValues.isEmpty { shownValues = [:] }
        (isKept, isOpen, self.parts, dropped, admittedValues) = (false, false, 0, 0, 0)
        (served, settled, end) = (nil, nil, nil)
        return (store, parts)
    }

    /// Notes which values are set, if the store is open.
    mutating func noteValues(_ recorder: Recorder) {
        guard let store else { return }
        let count = tags.count
        store.addTags(limit: Self.valueLimit, to: &tags)
        // One that closes may be empty already.
        if tags.count > count { tags.removeFirst(count) }
        while admittedValues < tags.count, isAdmitted(recorder) { admittedValues += 1 }
        if admittedValues < tags.count { tags.removeLast(tags.count - admittedValues) }
    }

    /// Notes that the store has closed, and lets go of it: somebody else has to refer to it until no lock is held.
    ///
    /// - Parameters:
    ///   - outcome: What became of it.
    ///   - name: What gives the request's id.
    ///   - error: What an error says of itself that it ended with.
    ///   - now: When it closed.
    mutating func close(
        _ outcome: borrowing RequestOutcome,
        _ name: any CustomStringConvertible & Sendable,
        _ error: String?,
        at now: Moment
    ) {
        end = End(
            at: now,
            name: name,
            verdict: outcome.verdict,
            status: outcome.status,
            ending: End.Ending(outcome.ending),
            error: error
        )
        isOpen = false
        store = nil
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
        var present: [Int32] = []
        store.addTags(limit: Self.valueLimit, to: &present)
        if !present.isEmpty { (shown.tags, shown.shownValues) = (present, store.shownBounded(present)) }
        return shown
    }

    /// Counts one more part.
    ///
    /// - Returns: Whether it may be added.
    mutating func isAdmitted(_ recorder: Recorder) -> Bool {
        guard parts < Self.partLimit, recorder.admitsPart() else {
            dropped += 1
            return false
        }
        parts += 1
        return true
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
    /// How the values are shown, as far as they are.
    ///
    /// It runs a user's code: not under a lock.
    func shownBounded(_ tags: [Int32]) -> [Int32: String] { shownValues(of: tags).mapValues { $0.bounded() } }
}

extension String {
    /// How long, in bytes, a text is at most that is kept.
    static let limit = 200

    /// The text, or its beginning where it is longer than that, in bytes: with a mark that there was more.
    func bounded(_ limit: Int = limit) -> String {
        guard utf8.count > limit else { return self }
        return String(decoding: utf8.prefix(limit), as: UTF8.self) + "…"
    }
}
#endif
