/// The lifecycle of one request's store: a pure value.
///
/// Events go in, actions come out. Nothing here waits, locks, allocates a task or runs user code; `StoreCore` does that
/// and performs the actions in the order given. Everything is an integer, so that a test can enumerate the states.
///
/// - An *entry* is one acquisition of one resource: its flight, the value that is held, its release.
/// - A *point* is where entries are released: before the response is promised, or after it was written.
/// - Entries are kept in the order in which their values were published; a point releases them from the last to the first.
/// - An entry *depends* on those that were acquired inside its factory; they are not released before it has ended.
struct Lifecycle: Hashable, Sendable {
    var phase = Phase.open
    var verdict = RequestOutcome.Verdict.commit
    var response = Response.asIntended
    var hasLostResource = false
    var closeRequested = false
    /// The opener was told to go on; what is left of the phase ends without it.
    var hasProceeded = false

    /// Whether somebody will close the store.
    ///
    /// A store made outside a request holds values only (rule 5).
    let isOwned: Bool

    var entries: [Entry] = []
    /// The child scopes that are open, in the order in which they were opened.
    var children: [Int] = []
    var nextEntry = 0

    init(isOwned: Bool = true) {
        self.isOwned = isOwned
    }
}

extension Lifecycle {
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
            /// The value arrived after its point began, or after its limit; it is released as soon as that can be.
            case late
            /// Its release is due and waits for bodies of `use` to end.
            case awaitingUses
            /// The bodies of `use` did not end in time; it is released when they have.
            case overdueUses
            /// The release runs and its point waits for it.
            case releasing
            /// The release overran its limit; nobody waits for it any more.
            case overdueRelease
            /// An `around` function ended while its value was in use.
            case lost
            /// An `around` resource that was released early: it cannot be acquired again.
            case spent
        }

        let id: Int
        let resource: Int
        let point: ReleasePoint
        let form: Form
        var state: State
        var waiters: [Waiter] = []
        /// How many bodies of `use` run.
        var uses = 0
        /// The entries that were acquired inside this one's factory.
        var dependencies: [Int] = []
        /// The verdict that an early release has named.
        var earlyVerdict: RequestOutcome.Verdict?
        /// Who waits for the early release.
        var earlyWaiter: Int?
    }

    /// What kind of thing an entry acquires.
    enum Form: Sendable {
        /// A factory and a release.
        case resource
        /// A with-function that waits for the outcome.
        case around
        /// A value that needs no release.
        case memo
    }
}

extension Lifecycle.Entry.State {
    /// Whether the flight runs.
    var isFlying: Bool {
        switch self {
        case .acquiring, .cancelling, .overdueFlight: true
        case .held, .late, .awaitingUses, .overdueUses, .releasing, .overdueRelease, .lost, .spent: false
        }
    }

    /// Whether anything of the entry is still to end, so that what it depends on has to stay.
    var isAlive: Bool {
        switch self {
        case .lost, .spent: false
        default: true
        }
    }
}

extension Lifecycle {
    func index(of id: Int) -> Int? { entries.firstIndex { $0.id == id } }

    /// Whether `point` has begun: from then on nothing of it can be acquired any more (rule 12).
    func hasBegun(_ point: ReleasePoint) -> Bool {
        switch point {
        case .beforeResponse: phase >= .settling
        case .afterResponse: phase >= .closing
        }
    }

    /// Whether something that is not over depends on the entry.
    func hasDependents(_ id: Int) -> Bool {
        entries.contains { $0.state.isAlive && $0.dependencies.contains(id) }
    }
}
