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
    let reporter: @Sendable (RequestReport) -> Void
    /// The priority of the task that opened the store; factories and releases run at it (rule 3).
    let priority: TaskPriority?
    let state: Lock<State>

    /// Makes the core of a request's store, or, where nobody owns it, of a private one that holds only values.
    init(
        id: String? = nil,
        observer: (any RequestObserver)? = nil,
        reporter: @escaping @Sendable (RequestReport) -> Void = RequestReport.writeToStandardError,
        isOwned: Bool
    ) {
        identity = Identity.nextStore()
        givenID = id
        self.observer = observer
        self.reporter = reporter
        priority = isOwned ? Task.currentPriority : nil
        state = Lock(State(lifecycle: Lifecycle(isOwned: isOwned)))
    }

    var id: String { givenID ?? String(identity) }

    struct State {
        var lifecycle: Lifecycle
        var values = ValueTable()
        var acquisitions: [Int: AcquisitionRecord] = [:]
        var waiters: [Int: PendingWaiter] = [:]
        var nextWaiter = 0
        var status: RequestStatus?
        var ending: RequestOutcome.Ending?
        var releaseFailures: [ReleaseFailure] = []
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
    var failure: (any Error)?
    var task: Task<Void, Never>?
    var cancelRequested = false
    var deadline: Deadlines.Token?
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
        reporter(RequestReport(request: id, kind: kind))
    }
}

extension StoreCore.State {
    /// The outcome for a release or the observer.
    ///
    /// What arrives late is told to roll back, whatever the verdict.
    func outcome(late: Bool = false) -> RequestOutcome {
        RequestOutcome(
            verdict: late ? .rollback : lifecycle.verdict,
            status: status,
            ending: ending ?? .completed,
            releaseFailures: releaseFailures
        )
    }
}
