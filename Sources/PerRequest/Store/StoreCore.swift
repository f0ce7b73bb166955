import Synchronization

/// What a store is made of: the lifecycle, the values and the acquisitions of one request, under one lock.
///
/// The lock is held for bookkeeping only. Whatever can run a user's code (a factory, a release, a default, a `deinit`, a
/// comparison) runs after it was given back (rule 8): a value that leaves the store leaves the locked block first.
///
/// Nothing that the core owns keeps the request open: the ``RequestScope`` owns the request, and the core does not
/// reference it (rule 21).
final class StoreCore: Sendable {
    let identity: Int
    let givenID: String?
    let observer: (any RequestObserver)?
    let reporter: (@Sendable (RequestReport) -> Void)?
    let limits: RequestLimits
    /// The priority of the task that opened the store; factories and releases run at it (rule 3).
    let priority: TaskPriority?
    /// Where factories and releases go on when they have suspended; `nil` for the default.
    let executor: (any TaskExecutor)?
    /// The store that values are read through to, and the resources that this one owns itself (rule 4).
    let parent: StoreCore?
    let owned: Set<Int>
    /// The factory inside which the store was opened as a child.
    let openedIn: RunningFactory?
    /// What takes the place of resources, in a test.
    let overrides: ResourceOverrides
    /// Who runs what is left for after the response.
    let background: BackgroundOwner
    let state: Lock<State>

    /// Makes the core of a request's store, or, where nobody owns it, of a private one that holds only values.
    init(
        id: String? = nil,
        observer: (any RequestObserver)? = nil,
        reporter: (@Sendable (RequestReport) -> Void)? = nil,
        limits: RequestLimits = RequestLimits(),
        executor: (any TaskExecutor)? = nil,
        parent: StoreCore? = nil,
        openedIn: RunningFactory? = nil,
        owned: Set<Int> = [],
        overrides: ResourceOverrides = ResourceOverrides(),
        background: BackgroundOwner = .nobody,
        values: ValueTable = ValueTable(),
        isOwned: Bool
    ) {
        identity = Identity.nextStore()
        givenID = id
        self.observer = observer
        self.reporter = reporter
        self.limits = limits
        self.executor = executor ?? parent?.executor
        self.parent = parent
        self.openedIn = openedIn
        self.owned = owned
        self.overrides = parent?.overrides ?? overrides
        self.background = background
        priority = isOwned ? Task.currentPriority : nil
        state = Lock(State(lifecycle: Lifecycle(isOwned: isOwned), values: values))
    }

    var id: String { givenID ?? String(identity) }

    struct State {
        var lifecycle: Lifecycle
        var values = ValueTable()
        var memos = MemoTable()
        var acquisitions: [Int: AcquisitionRecord] = [:]
        var waiters: [Int: PendingWaiter] = [:]
        var nextWaiter = 0
        var children: [Int: StoreCore] = [:]
        var status: RequestStatus?
        var ending: RequestOutcome.Ending?
        var releaseFailures: [ReleaseFailure] = []
        /// What is left for after the response.
        var jobs: [PendingJob] = []
        var jobsOfOpener: [BackgroundJob] = []
        var openerHasLeft = false
        /// Who waits for a phase to end: the opener.
        var phaseWaiters: [PhaseWaiter] = []
    }
}

/// A caller that waits for a resource.
struct PendingWaiter: Sendable {
    let waiter: Waiter
    let resource: ResourceInfo
}

/// A caller that waits for a phase.
struct PhaseWaiter: Sendable {
    let phase: Lifecycle.Phase
    let waiter: Waiter
}

/// What the core keeps of one acquisition.
struct AcquisitionRecord: Sendable {
    let acquisition: Acquisition
    var box: AnyBox?
    /// What the flight or the release threw.
    var failure: (any Error)?
    var task: Task<Void, Never>?
    var cancelRequested = false
    /// The time limit of the stage under way.
    var deadline: Deadlines.Token?
    /// The time after which holding the resource is reported.
    var holdLimit: Deadlines.Token?
    /// The bodies that use the value exclusively.
    var turns = TurnQueue()
    /// What the resource is built on in parents of the store.
    var holds: [Hold] = []
    /// The resources of children that are built on this one.
    var holders: [Holder] = []
}

extension StoreCore {
    /// Whether the store is closed and empty.
    var isClosed: Bool { state.withLock { $0.lifecycle.phase == .closed } }

    /// What became of the request, as far as it is known.
    var outcome: RequestOutcome { state.withLock { $0.outcome() } }

    func error(_ reason: RequestStoreError.Reason, key: String?) -> RequestStoreError {
        RequestStoreError(key: key, request: id, reason: reason)
    }

    func report(_ kind: RequestReport.Kind) {
        let report = RequestReport(request: id, kind: kind)
        if let reporter { reporter(report) } else { RequestReport.handle(report) }
    }

    /// The store in which a resource is acquired: this one if it owns it, else its parent's owner.
    func owner(of resource: Int) -> StoreCore {
        guard let parent, !owned.contains(resource) else { return self }
        return parent.owner(of: resource)
    }

    /// Whether this store is a child, however deep, of `other`.
    func descends(from other: StoreCore) -> Bool {
        guard let parent else { return false }
        return parent === other || parent.descends(from: other)
    }
}

extension StoreCore.State {
    /// The outcome for a release or the observer.
    func outcome(verdict: RequestOutcome.Verdict? = nil) -> RequestOutcome {
        RequestOutcome(
            verdict: verdict ?? lifecycle.verdict,
            status: status,
            ending: ending ?? .completed,
            releaseFailures: releaseFailures
        )
    }

    mutating func addWaiter(_ info: ResourceInfo) -> (waiter: Waiter, number: Int) {
        let waiter = Waiter()
        let number = nextWaiter
        nextWaiter += 1
        waiters[number] = PendingWaiter(waiter: waiter, resource: info)
        return (waiter, number)
    }
}
