import Synchronization

/// What a store is made of: where its values are, who opened it, and which scope of its request's lifecycle it is.
///
/// The store of a request has a ``RequestCore``, which all its children refer to; a child's is a ``ChildCore``.
///
/// Nothing that the core owns keeps the request open: the ``StoreScope`` owns the request, and the core does not
/// reference it (rule 21).
@usableFromInline
class StoreCore: @unchecked Sendable {
    /// The memory of the store's values; the store's for as long as it is open.
    final let slot: Slot
    final let number: Atomic<Int>
    final let configuration: StoreConfiguration
    /// What few stores have; set before anybody else knows of the store.
    fileprivate final var particulars: Particulars?
    /// The raw value of the opener's priority; 0 for none.
    final let openedAt: Atomic<UInt8>
    /// Whether somebody will close the store.
    final let isOwned: Bool

    fileprivate init(
        _ configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)?,
        id: String?,
        isOwned: Bool,
        slot: Slot,
        number: Int,
        priority: TaskPriority?
    ) {
        self.slot = slot
        self.configuration = configuration
        let announcements = configuration.isObserved ? Announcements(hasListeners: configuration.hasListeners) : nil
        let isPlain = receiver == nil && id == nil && announcements == nil
        particulars = isPlain ? nil : Particulars(receiver: receiver, id: id, announcements)
        self.number = Atomic(number)
        openedAt = Atomic(priority?.rawValue ?? 0)
        self.isOwned = isOwned
    }

    deinit {
        // A private store ends when nobody refers to it any more. It is in no task of its own then.
        endWithoutOpening()
    }

    /// Gives the slot back if the store has it: nobody will close it.
    final func endWithoutOpening() {
        var left = SlotMemory.Leftovers()
        guard slot.memory.close(identity, carries: false, &left) else { return }
        SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
    }

    /// What all stores of the request share.
    var request: RequestCore { preconditionFailure("a store is a request's or a child's") }
    /// Which of the lifecycle's scopes the store is.
    var scope: Int { Lifecycle.rootScope }
    /// The store that values are read through to; `nil` for a root.
    var parent: StoreAddress? { nil }

    /// The scope of the store in which a resource is acquired: this one if it owns it, else its parent's owner.
    func owner(of resource: Int) -> Int { Lifecycle.rootScope }
}

/// What few stores have.
private final class Particulars: @unchecked Sendable {
    var receiver: (any ReportReceiver)?
    let id: String?
    let announcements: Announcements?
    /// Set while the store's opening is told, before anybody else knows of the store, and let go when nobody does any more.
    var log: (any EventLog)?

    init(receiver: (any ReportReceiver)?, id: String?, _ announcements: Announcements? = nil) {
        self.receiver = receiver
        self.id = id
        self.announcements = announcements
    }
}

extension StoreCore {
    final var givenID: String? { particulars?.id }

    /// What the observers are to be told of its phases; `nil` where there are none.
    final var announcements: Announcements? { particulars?.announcements }

    /// What observers keep of what happens in it.
    final var log: (any EventLog)? {
        get { particulars?.log }
        set { particulars?.log = newValue }
    }

    /// Lets go of what was the store's of the request that has ended.
    final func forgetParticulars() {
        guard let particulars else { return }
        particulars.receiver = nil
        particulars.log = nil
    }

    /// Who gets this store's reports in place of the configuration's reporter.
    final var receiver: (any ReportReceiver)? {
        get { particulars?.receiver }
        set {
            if let particulars {
                particulars.receiver = newValue
            } else if newValue != nil {
                particulars = Particulars(receiver: newValue, id: nil)
            }
        }
    }
}

/// Where an open store is found: the parent's, which is open for as long as its child is.
struct StoreAddress: Sendable {
    let slot: Slot
    let number: Int
}

/// What a request's store is made of, and all that the request shares with its children: the lifecycle, the acquisitions
/// and the callers that wait, under one lock.
///
/// One that ended unused is opened again for a later request if nobody refers to it, with another number.
///
/// The lock is held for bookkeeping only. Whatever can run a user's code (a factory, a release, a default, a `deinit`, a
/// comparison) runs after it was given back (rule 8): a value that leaves the store leaves the locked block first. Slots are
/// locked inside of it, and never two requests.
final class RequestCore: StoreCore, @unchecked Sendable {
    let state: Lock<State>

    /// Makes the core of a request's store, or, where nobody owns it, of a private one that holds only values.
    init(
        _ configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)? = nil,
        id: String? = nil,
        values: ValueTable? = nil,
        isOwned: Bool = true,
        slot: Slot = SlotPool.shared.take().slot
    ) {
        let configuration = configuration.here
        state = Lock(State(lifecycle: Lifecycle(isOwned: isOwned)))
        super.init(
            configuration,
            reportingTo: receiver,
            id: id,
            isOwned: isOwned,
            slot: slot,
            number: Identity.nextStore(),
            priority: isOwned ? Task.currentPriority : nil
        )
        slot.memory.open(for: self, isOwned: isOwned, configuration.values(over: values))
    }

    /// Makes the core of a store that is closed: what a task finds that has outlived its request.
    init(closed number: Int) {
        var lifecycle = Lifecycle()
        lifecycle[scope: 0].phase = .closed
        state = Lock(State(lifecycle: lifecycle))
        let id = PastRequests.id(of: number)
        super.init(.plain, reportingTo: nil, id: id, isOwned: true, slot: .none, number: number, priority: nil)
    }

    override var request: RequestCore { self }

    struct State {
        var lifecycle: Lifecycle
        /// What the lifecycle wants done, while it is looked up.
        var actions: [Lifecycle.Action] = []
        /// What is kept beside the lifecycle of each entry, each call that waits, and each scope.
        var acquisitions = SlabTable<Acquisition>()
        var waiters = SlabTable<PendingCaller>()
        var own = ScopeState()
        /// How many children were opened.
        var childCount: Int32 = 0
        var children = SlabTable<ChildCore>()
    }
}

/// What a child's store is made of.
///
/// It refers to the request, and to its parent by where that is: there are no chains of references.
final class ChildCore: StoreCore, @unchecked Sendable {
    private let shared: RequestCore
    private let address: StoreAddress
    let parentScope: Int
    // Set once, before anybody else knows of it.
    private var place = Lifecycle.rootScope
    /// Which of the request's children it is, from 1.
    private(set) var ordinal: Int32 = 0
    /// The scopes that own what the root does not, by resource.
    private var owners: [Int: Int]
    // Read and written under the request's lock only.
    /// What became of it, once it has closed.
    var ended: RequestOutcome?
    var kept = ScopeState()
    /// The limit of closing it, if its parent does.
    var budget: Deadlines.Token?

    override var request: RequestCore { shared }
    override var scope: Int { place }
    override var parent: StoreAddress? { address }

    override func owner(of resource: Int) -> Int { owners[resource] ?? Lifecycle.rootScope }

    fileprivate init(of parent: StoreCore, _ configuration: StoreConfiguration, id: String?) {
        shared = parent.request
        parentScope = parent.scope
        address = StoreAddress(slot: parent.slot, number: parent.identity)
        owners = (parent as? ChildCore)?.owners ?? [:]
        let slot = SlotPool.shared.take().slot
        super.init(
            configuration,
            reportingTo: parent.receiver,
            id: id,
            isOwned: true,
            slot: slot,
            number: Identity.nextStore(),
            priority: Task.currentPriority
        )
        slot.memory.open(for: self, isOwned: true, nil)
    }

    fileprivate func open(as scope: Int, _ ordinal: Int32, owning owned: Set<Int>) {
        place = scope
        self.ordinal = ordinal
        for resource in owned { owners[resource] = scope }
    }
}

extension StoreCore {
    /// Opens a child of this store, which closes it when it closes itself (rule 4).
    ///
    /// - Returns: `nil` if this one is closing.
    func openChild(owning owned: Set<Int>, id: String?, observers: [any RequestObserver]) -> ChildCore? {
        let configuration = observers.isEmpty ? configuration : configuration.observed(by: observers)
        let child = ChildCore(of: self, configuration, id: id)
        let surroundings = Ambient.surroundings
        let request = request
        let isOpen = request.state.withLock { state in
            let inside = surroundings?.innermost(of: request.identity, in: state.lifecycle)
            let isObserved = child.configuration.isObserved
            guard let scope = state.lifecycle.openChild(of: scope, inside: inside, isObserved: isObserved) else {
                return false
            }
            state.childCount += 1
            child.open(as: scope, state.childCount, owning: owned)
            // What becomes of it is told after it was opened.
            child.announcements?.isTelling = true
            child.openLogs(in: self)
            state.children[scope - 1] = child
            return true
        }
        guard isOpen else {
            child.endWithoutOpening()
            return nil
        }
        if child.isObserved {
            child.tellListeners(.other(.opened(parent: RequestStore(core: self))))
            child.tellPhases()
        }
        return child
    }
}

/// What is kept of a scope beside the lifecycle.
struct ScopeState: Sendable {
    var ending: RequestOutcome.Ending?
    var memos = MemoTable()
    private var more: More?
    // The small ones last: what follows a scope's state begins in the same word.
    var status: RequestStatus?
    var openerHasLeft = false
    /// The opener waits until the store has closed, and takes the slot then.
    var openerTakesSlot = false
    /// The opener will wait for the end of the store, if that does not come at once.
    var openerIsComing = false

    /// What few scopes have, or for a short time.
    final class More: @unchecked Sendable {
        // Read and written under the request's lock only.

        var releaseFailures: [ReleaseFailure] = []
        /// What is left for after the response.
        var jobs: [PendingJob] = []
        var lineOfOpener: BackgroundLine?
        /// Who waits for a phase to end: the opener.
        var phaseWaiters: [PhaseWaiter] = []
        /// Where an opener that is coming finds out when it can go on.
        var wordForOpener: Waiter?
        /// When the point under way has to have ended, if somebody waits for that.
        var pointEnds: Moment?
    }

    /// To change what few have.
    var rest: More {
        mutating get {
            if let more { return more }
            let new = More()
            more = new
            return new
        }
    }

    var releaseFailures: [ReleaseFailure] { more?.releaseFailures ?? [] }
    var jobs: [PendingJob] { more?.jobs ?? [] }
    var hasPhaseWaiters: Bool { more.map { !$0.phaseWaiters.isEmpty } ?? false }
    var pointEnds: Moment? { more?.pointEnds }

    /// Where the opener finds out when it can go on, if somebody has left word.
    mutating func takeWord() -> Waiter? { more?.wordForOpener.take() }

    var hasWord: Bool { more?.wordForOpener != nil }

    /// Whether letting go of it could run a user's code.
    var refersToAnything: Bool {
        if !memos.isEmpty || ending != nil { return true }
        guard let more else { return false }
        return !more.jobs.isEmpty || !more.releaseFailures.isEmpty || more.lineOfOpener != nil
    }

    /// The jobs of the opener's own line, for the one who runs them.
    mutating func takeLine() -> BackgroundLine? { more?.lineOfOpener.take() }

    /// Whether there are jobs for the one who opened the store.
    var hasLine: Bool { more?.lineOfOpener != nil }

    /// Those who wait for a phase that has come, and for its end the opener that is coming: it finds that it can go on.
    mutating func takeWaiters(for phase: Lifecycle.Phase) -> [Waiter] {
        var waiters: [Waiter] = []
        if openerIsComing, phase >= .closing {
            let waiter = Waiter()
            openerIsComing = false
            rest.wordForOpener = waiter
            waiters.append(waiter)
        }
        guard let more, !more.phaseWaiters.isEmpty else { return waiters }
        for waiting in more.phaseWaiters where waiting.phase <= phase { waiters.append(waiting.waiter) }
        more.phaseWaiters.removeAll { $0.phase <= phase }
        return waiters
    }

    /// The jobs, for the one who hands them over.
    mutating func takeJobs() -> [PendingJob] {
        guard let more, !more.jobs.isEmpty else { return [] }
        var jobs: [PendingJob] = []
        swap(&jobs, &more.jobs)
        return jobs
    }

    /// Nothing waits for the point under way any more.
    mutating func forgetPoint() { more?.pointEnds = nil }
}

/// A caller that will be answered.
enum PendingCaller: Sendable {
    case waiting(Waiter, ResourceInfo, StoreCore)
    /// It starts the flight, which may end before it would have to wait.
    case starting(Acquisition)
}

/// A caller that waits for a phase.
struct PhaseWaiter: Sendable {
    let phase: Lifecycle.Phase
    let waiter: Waiter
}

extension StoreCore {
    /// The store's number, which no other store of the process has.
    var identity: Int { number.load(ordering: .relaxed) }

    /// The priority of the task that opened the store; factories and releases run at it (rule 3).
    var priority: TaskPriority? {
        let value = openedAt.load(ordering: .relaxed)
        return value == 0 ? nil : TaskPriority(rawValue: value)
    }

    var limits: RequestLimits { configuration.limits }
    /// Where factories and releases go on when they have suspended; `nil` for the default.
    var executor: (any TaskExecutor)? { configuration.executor }

    /// Whether the store is closed and empty.
    var isClosed: Bool { request.state.withLock { $0.lifecycle.phase(of: scope) == .closed } }

    /// What became of the request, as far as it is known.
    var outcome: RequestOutcome {
        request.state.withLock { state in (self as? ChildCore)?.ended ?? state.outcome(of: scope) }
    }

    func error(_ reason: RequestStoreError.Reason, key: String?) -> RequestStoreError {
        var reason = reason
        if case .requestEnded = reason, isChildOfOpenRequest { reason = .childStoreEnded }
        // A store that was made outside of a request has the id of none.
        if case .privateStore = reason { return RequestStoreError(key: key, request: nil, reason: reason) }
        return RequestStoreError(key: key, request: id, reason: reason)
    }

    func report(_ kind: RequestReport.Kind) {
        if case .releaseFailed(let failure) = kind, failure.error is any IntendedFailure { return }
        if isObserved, case .pointOverran(let point, let limit, _) = kind {
            tell(.other(.limitPassed(RequestEvent.Limit(subject: .point(point), acquisition: nil, duration: limit))))
        }
        deliver(RequestReport(request: id, kind: kind))
    }

    /// Hands a report to whoever gets those of this store.
    func deliver(_ report: RequestReport) {
        if let receiver { return receiver.receive(report) }
        if let reporter = configuration.reporter { reporter(report) } else { RequestReport.handle(report) }
    }
}

extension RequestCore.State {
    /// Reads something of what is kept of a scope; of one that has closed nothing is.
    @inline(__always)
    func read<Result>(_ scope: Int, _ body: (borrowing ScopeState) -> Result) -> Result {
        scope == Lifecycle.rootScope ? body(own) : body(children[scope - 1]?.kept ?? ScopeState())
    }

    /// Changes something of what is kept of a scope; of one that has closed nothing is.
    @inline(__always)
    mutating func change<Result>(_ scope: Int, _ body: (inout ScopeState) -> Result) -> Result {
        guard scope != Lifecycle.rootScope else { return body(&own) }
        if let child = children[scope - 1] { return body(&child.kept) }
        var nothing = ScopeState()
        return body(&nothing)
    }

    /// The outcome for a release or the observer.
    func outcome(of scope: Int, verdict: RequestOutcome.Verdict? = nil) -> RequestOutcome {
        read(scope) { state in
            RequestOutcome(
                verdict: verdict ?? lifecycle.verdict(of: scope) ?? .rollback,
                status: state.status,
                ending: state.ending ?? .completed,
                releaseFailures: state.releaseFailures
            )
        }
    }

    /// Whether a value of the acquisition has arrived, and something of it is still to end.
    func isKnown(_ acquisition: Acquisition) -> Bool {
        acquisition.box != nil && acquisitions[acquisition.entry] === acquisition
    }

    func name(of entry: Int) -> String { acquisitions[entry]?.resource.name ?? "?" }
}
