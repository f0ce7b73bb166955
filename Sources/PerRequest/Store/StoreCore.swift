import Synchronization

/// What a store is made of: the lifecycle and the acquisitions of one request, under one lock, and its values in a slot.
///
/// One that ended unused is opened again for a later request if nobody refers to it, with another number.
///
/// The lock is held for bookkeeping only. Whatever can run a user's code (a factory, a release, a default, a `deinit`, a
/// comparison) runs after it was given back (rule 8): a value that leaves the store leaves the locked block first.
///
/// Nothing that the core owns keeps the request open: the ``RequestScope`` owns the request, and the core does not
/// reference it (rule 21).
@usableFromInline
final class StoreCore: Sendable {
    /// The memory of the store's values; the store's for as long as it is open.
    let slot: Slot
    let number: Atomic<Int>
    let configuration: StoreConfiguration
    /// Who gets this store's reports in place of the configuration's reporter.
    let receiver: (any ReportReceiver)?
    let givenID: String?
    /// What makes it a child; `nil` for a root.
    let nesting: Nesting?
    /// The raw value of the opener's priority; 0 for none.
    let openedAt: Atomic<UInt8>
    /// Whether somebody will close the store.
    let isOwned: Bool
    let state: Lock<State>

    /// What makes a store a child of another one (rule 4).
    struct Nesting: Sendable {
        /// The store that values are read through to.
        let parent: StoreCore
        /// The resources that the child owns itself.
        var owned: Set<Int> = []
        /// The factory inside which the child was opened.
        var factory: RunningFactory?
    }

    /// Makes the core of a request's store, or, where nobody owns it, of a private one that holds only values.
    init(
        _ configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)? = nil,
        id: String? = nil,
        nesting: Nesting? = nil,
        values: ValueTable? = nil,
        isOwned: Bool = true,
        slot: Slot = SlotPool.shared.take().slot
    ) {
        self.slot = slot
        self.configuration = configuration
        self.receiver = receiver
        self.nesting = nesting
        number = Atomic(Identity.nextStore())
        openedAt = Atomic(isOwned ? Task.currentPriority.rawValue : 0)
        givenID = id
        self.isOwned = isOwned
        state = Lock(State(lifecycle: Lifecycle(isOwned: isOwned)))
        slot.memory.open(for: self, isOwned: isOwned, values)
    }

    /// Makes the core of a store that is closed: what a task finds that has outlived its request.
    init(closed number: Int, id: String?) {
        slot = .none
        configuration = .plain
        receiver = nil
        nesting = nil
        self.number = Atomic(number)
        openedAt = Atomic(0)
        givenID = id
        isOwned = true
        var lifecycle = Lifecycle()
        lifecycle.phase = .closed
        state = Lock(State(lifecycle: lifecycle))
    }

    deinit {
        // A private store ends when nobody refers to it any more. It is in no task of its own then.
        endWithoutOpening()
    }

    /// Gives the slot back if the store has it: nobody will close it.
    func endWithoutOpening() {
        var left = SlotMemory.Leftovers()
        guard slot.memory.close(identity, carries: false, &left) else { return }
        SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
    }

    /// The store's number, which no other store of the process has.
    var identity: Int { number.load(ordering: .relaxed) }

    /// The priority of the task that opened the store; factories and releases run at it (rule 3).
    var priority: TaskPriority? {
        let value = openedAt.load(ordering: .relaxed)
        return value == 0 ? nil : TaskPriority(rawValue: value)
    }

    var parent: StoreCore? { nesting?.parent }
    var owned: Set<Int> { nesting?.owned ?? [] }
    var observer: (any RequestObserver)? { configuration.observer }
    var limits: RequestLimits { configuration.limits }
    /// Where factories and releases go on when they have suspended; `nil` for the default.
    var executor: (any TaskExecutor)? { configuration.executor }
    var overrides: ResourceOverrides { configuration.overrides }
    var background: BackgroundOwner { configuration.background }

    var id: String { givenID ?? String(identity) }

    struct State {
        var openerHasLeft = false
        var lifecycle: Lifecycle
        /// What the lifecycle wants done, while it is looked up.
        var actions: [Lifecycle.Action] = []
        var memos = MemoTable()
        var acquisitions = SmallTable<AcquisitionRecord>()
        var waiters = SmallTable<PendingWaiter>()
        var nextWaiter = 0
        var children: [Int: StoreCore] = [:]
        var status: RequestStatus?
        var ending: RequestOutcome.Ending?
        var releaseFailures: [ReleaseFailure] = []
        /// What is left for after the response.
        var jobs: [PendingJob] = []
        var lineOfOpener: BackgroundLine?
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

/// What the core keeps of one acquisition: read and written under the core's lock only.
final class AcquisitionRecord: @unchecked Sendable {
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
    /// Whether the value can be read from the store's slot.
    var isPublished = false
    /// The bodies that use the value exclusively.
    var turns = TurnQueue()
    /// What the resource is built on in parents of the store.
    var holds: [Hold] = []
    /// The resources of children that are built on this one.
    var holders: [Holder] = []

    init(acquisition: Acquisition) { self.acquisition = acquisition }
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
        if let receiver { return receiver.receive(report) }
        if let reporter = configuration.reporter { reporter(report) } else { RequestReport.handle(report) }
    }

    /// The store in which a resource is acquired: this one if it owns it, else its parent's owner.
    func owner(of resource: Int) -> StoreCore {
        guard let parent, !owned.contains(resource) else { return self }
        return parent.owner(of: resource)
    }

    /// The store in which a resource is acquired.
    ///
    /// - Throws: If this one is a child that has ended: its parent is not asked for it.
    func openOwner(of resource: Int, key: String) throws(RequestStoreError) -> StoreCore {
        guard nesting == nil || !isClosed else { throw error(.requestEnded, key: key) }
        return owner(of: resource)
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
