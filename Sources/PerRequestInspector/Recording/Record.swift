#if Inspector
import PerRequest
import Synchronization

/// The log of a store: its timeline, and what has happened since that was brought up to date.
///
/// It is on every request's path. An event is noted as it is; what it means for the timeline is found out when somebody looks,
/// or when many have been noted.
final class Record: EventLog {
    /// How many events are noted before the timeline is brought up to date.
    private static let noteLimit = 32

    private struct Note: Sendable {
        let fact: RequestEvent.Fact
        let at: Moment
    }

    private struct State: Sendable {
        var timeline = Timeline()
        var notes: [Note] = []

        mutating func add(_ fact: RequestEvent.Fact, _ recorder: Recorder) {
            timeline.changed = recorder.look.load(ordering: .relaxed)
            notes.append(Note(fact: fact, at: .now))
            if notes.count == noteLimit || fact.isLong { bringUpToDate(recorder) }
        }

        mutating func bringUpToDate(_ recorder: Recorder) {
            for note in notes { timeline.note(note.fact, at: note.at, recorder) }
            notes.removeAll(keepingCapacity: true)
            timeline.noteClosing(recorder)
        }

        /// Makes it the one of no store.
        ///
        /// - Returns: The store, to be let go where no lock is held.
        mutating func clear(_ recorder: Recorder) -> RequestStore? {
            notes.removeAll(keepingCapacity: true)
            guard timeline.isKept else { return nil }
            let (store, parts) = timeline.clear()
            if parts > 0 { recorder.parts.wrappingSubtract(parts, ordering: .relaxed) }
            return store
        }
    }

    private let state = Mutex(State())
    /// It keeps the record, until it ends.
    let recorder: Recorder

    init(of recorder: Recorder) {
        self.recorder = recorder
        // As many as most requests have.
        state.withLock { $0.notes.reserveCapacity(16) }
    }

    /// Begins the one of a store; what there is of another one is kept no longer.
    func open(_ store: RequestStore, in parent: RequestStore?, at place: Int) {
        state.withLock { state in
            _ = state.clear(recorder)
            state.timeline.open(store, parent: parent, at: .now, place)
            state.timeline.changed = recorder.look.load(ordering: .relaxed)
        }
    }

    // MARK: Noting

    func note(_ fact: RequestEvent.Fact) {
        if case .other = fact.what { return noteOther(fact) }
        state.withLock { state in
            guard state.timeline.isKept, state.timeline.isOpen || !fact.isOfOpenStore else { return }
            state.add(fact, recorder)
        }
    }

    func beginClosing() {
        state.withLock { state in
            guard state.timeline.isOpen else { return }
            state.add(.entered(.closing), recorder)
            state.timeline.noteValues(recorder)
        }
        guard RequestStore.showsValues else { return }
        let (store, tags) = state.withLock { ($0.timeline.store, $0.timeline.tags) }
        // How they are shown is a user's code.
        guard let shown = store?.shownBounded(tags), !shown.isEmpty else { return }
        state.withLock { if $0.timeline.isOpen { $0.timeline.shownValues = shown } }
    }

    /// Notes in the timeline itself what happens less often: neither a store nor an error is kept.
    private func noteOther(_ fact: RequestEvent.Fact) {
        let kind = fact.kind
        // What an error says of itself is a user's code: it runs before anything is locked.
        let error = kind.error.map(describe)
        state.withLock { state in
            guard state.timeline.isKept else { return }
            state.timeline.changed = recorder.look.load(ordering: .relaxed)
            state.bringUpToDate(recorder)
            state.timeline.note(kind, error, at: .now, recorder)
        }
    }

    func close(_ outcome: RequestOutcome) {
        guard let store = state.withLock({ $0.timeline.store }) else { return }
        let name: any CustomStringConvertible & Sendable = store.laterID ?? store.id.bounded()
        let error: String? = if case .failed(let error) = outcome.ending { describe(error) } else { nil }
        let closed: (place: Int, size: Int)? = state.withLock { state in
            guard state.timeline.isKept else { return nil }
            state.timeline.changed = recorder.look.load(ordering: .relaxed)
            state.timeline.close(outcome, name, error, at: .now)
            return (state.timeline.place, state.timeline.parts + state.notes.count)
        }
        // The store is let go without the lock.
        if let (place, size) = closed { recorder.closed(self, at: place, size: size) }
        withExtendedLifetime(store) {}
    }

    // MARK: Being looked at

    /// Whether it is still the one of the store of that number.
    func isOf(store number: Int) -> Bool { state.withLock { $0.timeline.isKept && $0.timeline.number == number } }

    /// The timeline, if it is a store's.
    func look() -> Timeline? {
        state.withLock { state in
            guard state.timeline.isKept else { return nil }
            state.bringUpToDate(recorder)
            return state.timeline
        }
    }

    /// Makes it the one of no store.
    ///
    /// - Parameter onlyOpen: Whether that is done only if the store is open.
    /// - Returns: Where it was on the shelf; `nil` if nothing was done.
    @discardableResult
    func clear(onlyOpen: Bool = false) -> Int? {
        // The store is let go without the lock.
        let cleared: (store: RequestStore?, place: Int)? = state.withLock { state in
            guard state.timeline.isKept, !onlyOpen || state.timeline.isOpen else { return nil }
            let place = state.timeline.place
            return (state.clear(recorder), place)
        }
        return cleared?.place
    }
}

extension RequestEvent.Fact {
    /// Whether there are texts in it that are too long to be kept: a client has sent them.
    fileprivate var isLong: Bool {
        if case .served(let served) = subject { served.utf8Count > String.limit } else { false }
    }
}

extension RequestEvent.Kind {
    fileprivate var error: (any Error)? {
        switch self {
        case .acquisitionFailed(_, let error), .jobEnded(_, .failed(let error)): error
        case .released(_, let error), .waitEnded(_, let error): error
        default: nil
        }
    }
}
#endif
