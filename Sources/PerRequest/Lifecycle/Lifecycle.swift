/// The lifecycle of one request's store: a pure value.
///
/// Events go in, actions come out. Nothing here waits, locks, allocates a task or runs user code; `StoreCore` does that
/// and performs the actions in the order given. Everything is an integer, so that a test can enumerate the states.
///
/// - An *entry* is one acquisition of one resource: its flight, the value that is held, its release.
/// - A *point* is where entries are released: before the response is promised, or after it was written.
/// - Entries are kept in the order in which their values were published; a point releases them from the last to the first.
struct Lifecycle: Hashable, Sendable {
    /// Where the request stands.
    ///
    /// Each phase is entered once (rule 1).
    enum Phase: Int, Comparable, Sendable {
        case open, settling, settled, closing, closed

        static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    /// What becomes of the response that the handler intended (rule 16).
    enum Response: Sendable {
        case asIntended
        /// A release failed, or a resource was lost: the success the handler intended cannot be promised.
        case failed
        /// A release overran its limit: whether it took effect is unknown.
        case overran
    }

    /// One acquisition of one resource.
    struct Entry: Hashable, Sendable {
        enum State: Sendable {
            /// The flight is under way.
            case acquiring
            /// The flight was cancelled; its point waits for it to end.
            case cancelling
            /// The flight was cancelled and did not end in time; nobody waits for it any more.
            case overdueFlight
            /// The value can be read.
            case held
            /// The value arrived after its point began, or after its limit; it is released as soon as no release runs.
            case late
            /// An `around` function ended while its value was in use.
            case lost
            /// The release runs and its point waits for it.
            case releasing
            /// The release overran its limit; nobody waits for it any more.
            case overdueRelease
        }

        let id: Int
        let resource: Int
        let point: ReleasePoint
        var state: State
        var waiters: [Int] = []
    }

    private(set) var phase = Phase.open
    private(set) var verdict = RequestOutcome.Verdict.commit
    private(set) var response = Response.asIntended
    private(set) var entries: [Entry] = []

    /// Whether somebody will close the store.
    ///
    /// A store made outside a request holds values only (rule 5).
    let isOwned: Bool

    private var nextEntry = 0
    private var hasLostResource = false
    private var closeRequested = false

    init(isOwned: Bool = true) {
        self.isOwned = isOwned
    }
}

// MARK: - Acquiring

extension Lifecycle {
    /// The answer to a caller that wants a resource.
    enum Admission: Hashable, Sendable {
        /// The value is there.
        case ready(Int)
        /// The caller waits for a flight that it has to start.
        case start(Int)
        /// The caller waits for a flight that is under way.
        case join(Int)
        case refuse(Refusal)
    }

    enum Refusal: Hashable, Sendable {
        case notOwned
        case pointBegan
        case closed
        case released
        case lost
        case stillEnding
        case callerCancelled
    }

    /// Asks for `resource` on behalf of `waiter`.
    ///
    /// `mayStart` is false for a caller that is already cancelled: it can read what is held, and starts nothing (rule 9).
    mutating func acquire(_ resource: Int, at point: ReleasePoint, waiter: Int, mayStart: Bool) -> Admission {
        if let index = entries.lastIndex(where: { $0.resource == resource && $0.state != .overdueRelease }) {
            switch entries[index].state {
            case .held:
                return .ready(entries[index].id)
            case .acquiring:
                guard mayStart else { return .refuse(.callerCancelled) }
                entries[index].waiters.append(waiter)
                return .join(entries[index].id)
            case .cancelling, .overdueFlight:
                return .refuse(hasBegun(point) ? refusalAfterBegin : .stillEnding)
            case .late, .releasing, .overdueRelease:
                return .refuse(hasBegun(point) ? .released : .stillEnding)
            case .lost:
                return .refuse(.lost)
            }
        }
        guard isOwned else { return .refuse(.notOwned) }
        guard !hasBegun(point) else { return .refuse(refusalAfterBegin) }
        guard mayStart else { return .refuse(.callerCancelled) }
        let id = nextEntry
        nextEntry += 1
        entries.append(Entry(id: id, resource: resource, point: point, state: .acquiring, waiters: [waiter]))
        return .start(id)
    }

    private var refusalAfterBegin: Refusal { phase == .closed ? .closed : .pointBegan }

    /// Whether `point` has begun: from then on nothing of it can be acquired any more (rule 12).
    func hasBegun(_ point: ReleasePoint) -> Bool {
        switch point {
        case .beforeResponse: phase >= .settling
        case .afterResponse: phase >= .closing
        }
    }
}

// MARK: - Events

extension Lifecycle {
    enum Event: Hashable, Sendable {
        /// A flight produced its value.
        case arrived(Int)
        /// A flight ended without a value.
        case flightFailed(Int)
        /// An `around` function ended although its value was still in use (rule 17).
        case lost(Int)
        /// A release ended.
        case released(Int, failed: Bool)
        /// A caller no longer waits for the entry.
        case waiterCancelled(Int, entry: Int)
        /// An entry has been in a stage for as long as it may be.
        case deadline(Int, Stage)
        /// The request failed.
        case fail
        /// The opener knows the response and has not written it.
        case settle(success: Bool)
        /// The opener is done with the request.
        case close(success: Bool)
    }

    /// What has a time limit.
    enum Stage: Hashable, Sendable {
        case acquiring, cancelling, releasing
    }

    enum Action: Hashable, Sendable {
        /// The value is there and will be released, sooner or later.
        case acquired(Int)
        case resume(waiter: Int, Resumption)
        case cancelFlight(Int)
        /// Runs the release.
        ///
        /// A late one is told to roll back, whatever the verdict.
        case release(Int, late: Bool)
        case cancelRelease(Int)
        /// A flight or release did not end in time.
        case overran(Int, Stage)
        /// The entry has ended: nothing of it is held any more.
        case forget(Int)
        case settled
        case closed
    }

    enum Resumption: Hashable, Sendable {
        case value(Int)
        case failure(Int)
        case cancelled
        case timedOut
        case pointBegan
    }

    /// Takes an event and says what has to be done.
    ///
    /// An event that no longer applies does nothing.
    mutating func handle(_ event: Event) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .arrived(let id): arrived(id, &actions)
        case .flightFailed(let id): flightFailed(id, &actions)
        case .lost(let id): lost(id, &actions)
        case .released(let id, let failed): released(id, failed: failed, &actions)
        case .waiterCancelled(let waiter, let entry): waiterCancelled(waiter, entry, &actions)
        case .deadline(let id, let stage): deadline(id, stage, &actions)
        case .fail: if phase == .open { verdict = .rollback }
        case .settle(let success): settle(success: success, &actions)
        case .close(let success): close(success: success, &actions)
        }
        return actions
    }

    private func index(of id: Int) -> Int? { entries.firstIndex { $0.id == id } }

    private mutating func arrived(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch entries[index].state {
        case .acquiring:
            // Publishing is registering: the order of the entries is the order of acquisition (rule 10).
            actions.append(.acquired(id))
            var entry = entries.remove(at: index)
            for waiter in entry.waiters { actions.append(.resume(waiter: waiter, .value(id))) }
            entry.waiters = []
            entry.state = .held
            entries.append(entry)
        case .cancelling, .overdueFlight:
            actions.append(.acquired(id))
            var entry = entries.remove(at: index)
            entry.state = .late
            entries.append(entry)
            advance(&actions)
        case .held, .late, .lost, .releasing, .overdueRelease:
            break
        }
    }

    private mutating func flightFailed(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch entries[index].state {
        case .acquiring, .cancelling, .overdueFlight:
            let entry = entries.remove(at: index)
            for waiter in entry.waiters { actions.append(.resume(waiter: waiter, .failure(id))) }
            actions.append(.forget(id))
            advance(&actions)
        case .held, .late, .lost, .releasing, .overdueRelease:
            break
        }
    }

    private mutating func lost(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch entries[index].state {
        case .held:
            entries[index].state = .lost
            if phase == .open { hasLostResource = true } else { spoil(.failed) }
        case .late:
            entries[index].state = .lost
        case .releasing, .overdueRelease:
            released(id, failed: true, &actions)
        case .acquiring, .cancelling, .overdueFlight, .lost:
            break
        }
    }

    private mutating func waiterCancelled(_ waiter: Int, _ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id), let place = entries[index].waiters.firstIndex(of: waiter) else { return }
        entries[index].waiters.remove(at: place)
        actions.append(.resume(waiter: waiter, .cancelled))
    }

    private mutating func deadline(_ id: Int, _ stage: Stage, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch (stage, entries[index].state) {
        case (.acquiring, .acquiring):
            cancelFlight(at: index, .timedOut, &actions)
        case (.cancelling, .cancelling):
            entries[index].state = .overdueFlight
            actions.append(.overran(id, stage))
            advance(&actions)
        case (.releasing, .releasing):
            entries[index].state = .overdueRelease
            actions.append(.cancelRelease(id))
            actions.append(.overran(id, stage))
            spoil(.overran)
            advance(&actions)
        default:
            break
        }
    }

    private mutating func cancelFlight(at index: Int, _ resumption: Resumption, _ actions: inout [Action]) {
        for waiter in entries[index].waiters { actions.append(.resume(waiter: waiter, resumption)) }
        entries[index].waiters = []
        entries[index].state = .cancelling
        actions.append(.cancelFlight(entries[index].id))
    }
}

// MARK: - Points

extension Lifecycle {
    private mutating func settle(success: Bool, _ actions: inout [Action]) {
        guard phase == .open else { return }
        if !success { verdict = .rollback }
        if hasLostResource, verdict == .commit {
            verdict = .rollback
            response = .failed
        }
        begin(.settling, &actions)
    }

    private mutating func close(success: Bool, _ actions: inout [Action]) {
        guard !closeRequested else { return }
        closeRequested = true
        switch phase {
        case .open: settle(success: success, &actions)
        case .settled: begin(.closing, &actions)
        case .settling, .closing, .closed: break
        }
    }

    private mutating func begin(_ phase: Phase, _ actions: inout [Action]) {
        self.phase = phase
        for index in entries.indices where hasBegun(entries[index].point) && entries[index].state == .acquiring {
            cancelFlight(at: index, .pointBegan, &actions)
        }
        advance(&actions)
    }

    private mutating func released(_ id: Int, failed: Bool, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch entries[index].state {
        case .releasing:
            if failed { spoil(.failed) }
        case .overdueRelease:
            break
        case .acquiring, .cancelling, .overdueFlight, .held, .late, .lost:
            return
        }
        entries.remove(at: index)
        actions.append(.forget(id))
        advance(&actions)
    }

    /// While settling to commit, a release that goes wrong turns the verdict for the rest (rule 16).
    private mutating func spoil(_ response: Response) {
        guard phase == .settling, verdict == .commit else { return }
        verdict = .rollback
        self.response = response
    }

    /// Starts the next release, or ends the phase when there is none.
    ///
    /// One release runs at a time.
    private mutating func advance(_ actions: inout [Action]) {
        if entries.contains(where: { $0.state == .releasing }) { return }
        if let index = entries.lastIndex(where: { $0.state == .late }) {
            return release(at: index, late: true, &actions)
        }
        guard phase == .settling || phase == .closing else { return }
        if entries.contains(where: { $0.state == .cancelling && hasBegun($0.point) }) { return }
        if let index = entries.lastIndex(where: { $0.state == .held && hasBegun($0.point) }) {
            return release(at: index, late: false, &actions)
        }
        if phase == .settling {
            phase = .settled
            actions.append(.settled)
            if closeRequested { begin(.closing, &actions) }
        } else {
            phase = .closed
            for entry in entries where entry.state == .lost { actions.append(.forget(entry.id)) }
            entries.removeAll { $0.state == .lost }
            actions.append(.closed)
        }
    }

    private mutating func release(at index: Int, late: Bool, _ actions: inout [Action]) {
        entries[index].state = .releasing
        actions.append(.release(entries[index].id, late: late))
    }
}
