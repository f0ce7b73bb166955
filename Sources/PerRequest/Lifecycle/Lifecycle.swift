/// The lifecycle of one request and all its child stores: a pure value.
///
/// Events go in, actions come out. Nothing here waits, locks, allocates a task or runs user code; `RequestCore` does that
/// and performs the actions in the order given. Everything is a number, so that a test can enumerate the states.
///
/// - A *scope* is a store: the request's own, which is the root, or a child's. Each has its own phase, points and verdict.
/// - An *entry* is one acquisition of one resource: its flight, the value that is held, its release.
/// - A *call* is somebody who waits for an entry or a scope, or whose body uses an entry's value.
/// - An *activity* is code that runs for the request and that we know of: a factory, an `around` function, a release, a body
///   of `use`. A call made by such code is inside of it.
///
/// Whatever waits for something else to end is an edge of one graph, which `Lifecycle+Graph` walks: an activity waits for
/// the calls inside of it, a call for what it asked for, a release for what is built on its value and for those who use it,
/// a scope that closes for all it holds.
///
/// Things have a number that is never given twice, which is what events and actions name; inside, they are found by the
/// place where they are, and are in rows. So nothing costs more because there is more of something else.
struct Lifecycle: Hashable, Sendable {
    var root: Scope
    private var lastOrder: Int32 = 0
    var children = Slab<Child>()
    var entries = Slab<Entry>()
    var calls = Slab<Call>()
    /// Which entry stands for a resource in a scope, once there are too many entries to look through them.
    var current: [ResourceKey: Int]?
    /// The scopes in which something may go on, during an event.
    var agenda: [Int32] = []
    /// The children that the last event has closed: they can be asked about until the next one.
    var closed: [Int32] = []

    /// Makes the lifecycle of a request.
    ///
    /// - Parameter isOwned: Whether somebody will close the store; one that is made outside a request holds values only
    ///   (rule 5).
    init(isOwned: Bool = true) {
        root = Scope(isOwned: isOwned)
    }

    struct ResourceKey: Hashable, Sendable {
        let scope: Int32
        let resource: Int
    }
}

// MARK: - Scopes

extension Lifecycle {
    /// The number of the request's own scope, and its place.
    static let rootScope = 0

    /// Where a store stands.
    ///
    /// Each phase is entered once (rule 1).
    enum Phase: UInt8, Comparable, Sendable {
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

    /// A store: the request's own, or a child's.
    struct Scope: Hashable, Sendable {
        var phase = Phase.open
        var verdict = RequestOutcome.Verdict.commit
        var response = Response.asIntended
        /// The opener said that the request failed: the response is its own affair.
        var hasFailed = false
        var closeRequested = false
        /// It is closed by its parent, and not by its opener.
        var isForced = false
        /// The response, or the body of a child, ended as it should.
        var isCompleted = false
        /// The opener was told to go on; what is left of the phase ends without it.
        var hasProceeded = false
        let isOwned: Bool
        /// An observer is told of its end, before its parent ends.
        var isObserved = false

        /// The opener, if it waits for the end of a phase inside of an activity.
        var opener: Int32 = -1

        /// The children that it has to wait for when it closes, in the order in which they were opened.
        var children = SlabList()
        /// All children that have not closed.
        var openChildren: Int32 = 0
        /// Those of them that have ended, and of whose end the observer has not been told.
        var untold: Int32 = 0
        /// In the order of publishing, those whose flight runs at the end.
        var entries = SlabList()
        /// The entries of which something is still to end.
        var alive: Int32 = 0
        /// The flights of each point that were cancelled and have not ended.
        var cancellingBefore: Int32 = 0
        var cancellingAfter: Int32 = 0
        /// The entry whose release runs: one at a time.
        var releasing: Int32 = -1
        /// The entries whose release waits for those who use their values; those of a point one at a time.
        var awaiting: Int32 = 0
        /// What can be released now, the next one last.
        var ready = SlabList()
    }

    /// Where a scope is among the others.
    struct Nesting: Hashable, Sendable {
        /// The place of the parent; -1 for the root.
        var parent: Int32 = -1
        /// The nearest scope, from this one upward, that was bound when it was opened; -1 for none.
        var boundAbove: Int32 = -1
        /// The entry inside of whose activity it was opened; -1 for none.
        var openedIn = -1
        /// Whether that entry has to end before the parent closes this.
        var isBound = false
    }

    /// The scope of a child.
    struct Child: SlabListed {
        var scope: Scope
        var nesting: Nesting
        private var links = SlabLinks()

        init(_ scope: Scope, _ nesting: Nesting) {
            self.scope = scope
            self.nesting = nesting
        }

        subscript(row: SlabRow) -> SlabLinks {
            get { links }
            set { links = newValue }
        }

        mutating func clear() {}
    }

    /// A scope refers to nothing, so that changing a part of it costs as if it were not copied.
    subscript(scope place: Int32) -> Scope {
        @inline(__always) get { place == 0 ? root : children[place - 1].scope }
        @inline(__always) set { if place == 0 { root = newValue } else { children[place - 1].scope = newValue } }
    }

    subscript(nesting place: Int32) -> Nesting { place == 0 ? Nesting() : children[place - 1].nesting }

    /// Where the scope of a number is, if it has not closed; the root is always there.
    func scopePlace(of id: Int) -> Int32? {
        id == Self.rootScope ? 0 : children.place(of: id - 1).map { $0 + 1 }
    }

    func scopeID(at place: Int32) -> Int { place == 0 ? Self.rootScope : children.id(at: place - 1) + 1 }
}

// MARK: - Entries

extension Lifecycle {
    /// What kind of thing an entry acquires.
    enum Form: Sendable {
        /// A factory and a release.
        case resource
        /// A with-function that waits for the outcome.
        case around
        /// A value that needs no release.
        case memo
    }

    /// One acquisition of one resource.
    struct Entry: SlabListed {
        enum State: Sendable {
            /// The flight is under way.
            case acquiring
            /// The flight was cancelled; its point waits for it to end.
            case cancelling
            /// The flight was cancelled and did not end in time; nobody waits for it any more.
            case overdueFlight
            /// The value can be read, unless an early release is due.
            case held
            /// The value arrived after its point began, or after its limit; it is released as soon as that can be.
            case late
            /// Its release is due and waits for bodies of `use`, or for what a child has built on it.
            case awaitingUses
            /// The same, but only bodies that began in children are left, which have had their time: nobody waits for it.
            case parked
            /// They did not end in time; it is released when they have.
            case overdueUses
            /// The release runs and its point waits for it.
            case releasing
            /// The release overran its limit; nobody waits for it any more.
            case overdueRelease
            /// An `around` function ended while its value was in use.
            case lost
            /// An `around` resource that was released early: it cannot be acquired again.
            case spent
            /// A memo's value, which ends with what it was built on.
            case kept
        }

        /// How far the request was when the acquisition began.
        enum Beginning: Sendable {
            case inTime
            /// The response of the request was settled, and this scope was open.
            case afterRequestSettled
            /// This scope was settled.
            case afterSettled
        }

        let resource: Int
        /// The place of its scope.
        let scope: Int32
        let point: ReleasePoint
        let form: Form
        let beginning: Beginning
        var state = State.acquiring
        /// The verdict that an early release has named.
        var early: RequestOutcome.Verdict?
        /// What its release was told.
        var told: RequestOutcome.Verdict?
        /// It is among those of its scope that can be released.
        var isReady = false
        var readyLinks = SlabLinks()
        /// Its turn among all that were published.
        var order = 0
        var links = SlabLinks()

        /// Those who wait for its flight or for their turn, in the order in which they asked.
        var queue = SlabList()
        /// The bodies that have its value.
        var bodies = SlabList()
        /// How many bodies have its value or wait for their turn.
        var uses: Int32 = 0
        /// How many of them began in a child.
        var foreignUses: Int32 = 0
        /// The body that has the turn; -1 for none.
        var turn: Int32 = -1
        /// The entry that claims it, and the one that it claims; -1 for none.
        var claimant: Int32 = -1
        var claimed: Int32 = -1
        /// Those who wait for its early release.
        var releaseWaiters = SlabList()
        /// The entries whose early release somebody has asked for, and for which this one has to be released.
        var releasedFor = NumberSet()

        /// The calls inside of its activity.
        var inner = SlabList()
        /// The scopes that were opened inside of its activity and are closed after it has ended.
        var boundScopes = SlabList()
        /// What was acquired inside of its activity: the entries, and the memos that it asked.
        var dependencies = NumberSet()
        /// What is built on it and has to end before it: in this scope, and in others.
        var dependents = NumberSet()
        var ownDependents: Int32 = 0
        var foreignDependents: Int32 = 0
        /// The memos whose values end with it.
        var memos = NumberSet()

        subscript(row: SlabRow) -> SlabLinks {
            get { row == .owner ? links : readyLinks }
            set { if row == .owner { links = newValue } else { readyLinks = newValue } }
        }

        mutating func clear() {
            dependencies = NumberSet()
            dependents = NumberSet()
            memos = NumberSet()
        }
    }
}

extension Lifecycle.Entry {
    /// Whether the flight runs.
    var isFlying: Bool {
        switch state {
        case .acquiring, .cancelling, .overdueFlight: true
        case .held, .late, .awaitingUses, .parked, .overdueUses, .releasing, .overdueRelease, .lost, .spent, .kept:
            false
        }
    }

    /// Whether anything of the entry is still to end, so that what it depends on has to stay.
    var isAlive: Bool {
        switch state {
        case .lost, .spent, .kept: false
        default: true
        }
    }

    /// Whether code runs for it: its factory, its `around` function, its release.
    var isRunning: Bool {
        switch state {
        case .acquiring, .cancelling, .overdueFlight, .releasing, .overdueRelease: true
        case .held, .late, .awaitingUses, .parked, .overdueUses: form == .around
        case .lost, .spent, .kept: false
        }
    }

    /// Whether a caller gets the value at once.
    var isReadable: Bool { state == .held && early == nil || state == .kept }
}

// MARK: - Calls

extension Lifecycle {
    /// Code that runs for the request: a factory, an `around` function or a release, by its entry; or a body of `use`.
    enum Activity: Hashable, Sendable {
        case entry(Int)
        case body(Int)
    }

    /// A place in the graph.
    enum Node: Hashable, Sendable {
        case entry(Int32)
        case call(Int32)
        case scope(Int32)
    }

    /// Somebody who waits, or whose body uses a value.
    struct Call: SlabListed {
        enum Kind: Sendable {
            /// Wants to read the value.
            case read
            /// Uses the value in a body that the release has to wait for.
            case use
            /// The same, one at a time.
            case exclusive
            /// An `around` function that is made on the entry.
            case claim
            /// Waits for the entry's early release.
            case release
            /// Waits for the end of a scope's phase.
            case phase
        }

        let kind: Kind
        /// The place of what was asked for: an entry, or a scope; -1 if that is gone.
        var target: Int32
        /// It came from another scope than that of the entry.
        var isForeign = false
        /// The body has the value.
        var isRunning = false
        /// The activity that the caller is inside of.
        var inside: Node?
        /// Among those of the same entry, and among those inside of the same activity.
        var links = SlabLinks()
        var activityLinks = SlabLinks()
        /// The calls inside of its body.
        var inner = SlabList()

        subscript(row: SlabRow) -> SlabLinks {
            get { row == .owner ? links : activityLinks }
            set { if row == .owner { links = newValue } else { activityLinks = newValue } }
        }

        mutating func clear() {}
    }

    mutating func nextOrder() -> Int {
        lastOrder += 1
        return Int(lastOrder)
    }
}

// MARK: - Used again

extension Lifecycle {
    /// Makes a lifecycle that has ended as it is after a request that used nothing; numbers go on, and memory is kept.
    ///
    /// - Returns: Whether it did: somebody else than the request itself may have been there, or be there still.
    mutating func forgetAll() -> Bool {
        guard root.phase == .closed, entries.count == 0, calls.count == 0, children.isUntouched else { return false }
        root = Scope(isOwned: true)
        root.phase = .closed
        current = nil
        lastOrder = 0
        return true
    }

    /// Opens a lifecycle again that was closed unused, or has forgotten all.
    mutating func reopen() {
        root.phase = .open
        root.closeRequested = false
        root.isCompleted = false
        root.hasProceeded = false
    }
}
