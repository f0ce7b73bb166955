import Synchronization

extension StoreCore {
    /// The held value of a resource, acquired if need be, when it is the caller's turn.
    ///
    /// - Parameter kind: What the caller wants of it. One that uses the value in a body sends
    ///   ``Lifecycle/Event/callEnded(_:)`` after it.
    /// - Throws: What the factory throws, or why it cannot be had, with the place, if that is the caller's.
    nonisolated(nonsending) func acquire(
        _ resource: ResourceInfo,
        from position: SourcePosition,
        as kind: Lifecycle.Call.Kind = .read
    ) async throws -> Acquired {
        do {
            switch try begin(resource, from: position, as: kind) {
            case .acquired(let acquired): return acquired
            case .waiting(let caller): return try await acquired(caller, resource, position, kind)
            }
        } catch {
            throw placed(error, resource, position)
        }
    }

    /// Does what can be done without waiting, which is nearly always all.
    func beginAcquiring(_ resource: ResourceInfo, from position: SourcePosition) throws -> Begun {
        do { return try begin(resource, from: position, as: .read) } catch { throw placed(error, resource, position) }
    }

    /// Waits for the rest of what ``beginAcquiring(_:from:)`` began.
    nonisolated(nonsending) func acquired(
        _ caller: Caller,
        _ resource: ResourceInfo,
        from position: SourcePosition
    ) async throws -> Acquired {
        do { return try await acquired(caller, resource, position, .read) } catch {
            throw placed(error, resource, position)
        }
    }

    /// An error of our own says where the resource was asked for; a memo's calls have no place.
    private func placed(_ error: any Error, _ resource: ResourceInfo, _ position: SourcePosition) -> any Error {
        guard let error = error as? RequestStoreError, error.key == resource.name, resource.memo == nil else {
            return error
        }
        return error.at(position)
    }

    private func begin(
        _ resource: ResourceInfo,
        from position: SourcePosition,
        as kind: Lifecycle.Call.Kind
    ) throws -> Begun {
        switch admit(resource, from: position, kind) {
        case .ready(let acquired): return .acquired(acquired)
        case .refuse(let error): throw error
        case .gone: throw MemoTable.EntryGone()
        case .wait(let caller): return .waiting(caller)
        case .start(let call, let acquisition):
            if let observed = acquisition.observed { acquisition.core.tell(.acquiring(observed)) }
            switch acquisition.core.startFlight(acquisition, for: call) {
            case .answered(let result):
                return .acquired(try acquired(result, call, acquisition.entry, acquisition.core, resource, kind))
            case .waiting(let waiter):
                return .waiting(
                    Caller(
                        waiter: waiter,
                        call: call,
                        entry: acquisition.entry,
                        core: acquisition.core,
                        joins: false
                    )
                )
            }
        }
    }

    private nonisolated(nonsending) func acquired(
        _ caller: Caller,
        _ resource: ResourceInfo,
        _ position: SourcePosition,
        _ kind: Lifecycle.Call.Kind
    ) async throws -> Acquired {
        guard caller.joins, let observed = observed(caller.call, of: caller.entry, from: position) else {
            return try acquired(await wait(for: caller), caller.call, caller.entry, caller.core, resource, kind)
        }
        observed.waitBegan()
        do {
            let result = await wait(for: caller)
            let acquired = try acquired(result, caller.call, caller.entry, caller.core, resource, kind)
            observed.waitEnded()
            return acquired
        } catch {
            observed.waitEnded(error)
            throw error
        }
    }

    @usableFromInline
    enum Begun: Sendable {
        case acquired(Acquired)
        case waiting(Caller)
    }

    @usableFromInline
    struct Acquired: Sendable {
        @usableFromInline let box: AnyBox
        let entry: Int
        /// The body, if the value is used in one.
        let call: Int?
    }

    private enum Admission: Sendable {
        case ready(Acquired)
        case wait(Caller)
        case start(call: Int, Acquisition)
        case refuse(any Error)
        /// The entry of a memo that the caller has found is not there any more.
        case gone
    }

    @usableFromInline
    struct Caller: Sendable {
        let waiter: Waiter
        let call: Int
        let entry: Int
        let core: StoreCore
        /// Whether another caller has asked for it before.
        let joins: Bool
    }

    private func admit(_ info: ResourceInfo, from position: SourcePosition, _ kind: Lifecycle.Call.Kind) -> Admission {
        let surroundings = Ambient.surroundings
        let request = request
        let owner = owner(of: info.key)
        var wanted = ResourceRequest(
            scope: owner,
            resource: info.id,
            form: info.form,
            point: info.point,
            kind: kind,
            isCancelled: Task.isCancelled,
            caller: scope
        )
        var unused: MemoTable.Entry?
        defer { withExtendedLifetime(unused) {} }
        return request.state.withLock { state in
            guard scope == owner || state.lifecycle.phase(of: scope) != .closed else {
                return .refuse(error(.requestEnded, key: info.name))
            }
            if let surroundings { wanted.inside = surroundings.innermost(of: request.identity, in: state.lifecycle) }
            let core = state.core(of: owner) ?? request
            func acquisition(_ entry: Int) -> Acquisition {
                Acquisition(entry: entry, of: info, in: core, from: position, inside: surroundings)
            }
            if let memo = info.memo, let found = state.read(owner, { $0.memos.entry(memo, id: info.id) }) {
                wanted.entry = found.entry
                if let box = found.box {
                    if found.entry < 0, let entry = state.lifecycle.keepMemo(wanted) {
                        // The memo that is built on it ends with it, so that it has to be known.
                        state.acquisitions[entry] = acquisition(entry)
                        state.change(owner) { $0.memos.fly(memo, id: info.id, as: entry) }
                        wanted.entry = entry
                    } else if found.entry < 0 || wanted.inside == nil {
                        return .ready(Acquired(box: box, entry: found.entry, call: nil))
                    }
                }
            } else if info.memo != nil, !state.lifecycle.hasBegun(info.point, scope: owner) {
                return .gone
            }
            switch state.lifecycle.acquire(wanted) {
            case .ready(let entry, let call):
                guard let box = state.box(of: entry, info, owner) else { preconditionFailure("held without a value") }
                return .ready(Acquired(box: box, entry: entry, call: call))
            case .wait(let entry, let call):
                let waiter = Waiter()
                state.waiters[call] = .waiting(waiter, info, core)
                return .wait(Caller(waiter: waiter, call: call, entry: entry, core: core, joins: true))
            case .start(let entry, let call):
                let acquisition = acquisition(entry)
                state.acquisitions[entry] = acquisition
                state.waiters[call] = .starting(acquisition)
                if let memo = info.memo { state.change(owner) { $0.memos.fly(memo, id: info.id, as: entry) } }
                return .start(call: call, acquisition)
            case .refuse(let refusal):
                // Without a call, nothing is left of it.
                if let memo = info.memo { unused = state.change(owner) { $0.memos.removeUnused(memo, id: info.id) } }
                return .refuse(core.error(of: refusal, for: info, state))
            }
        }
    }

    private nonisolated(nonsending) func wait(for caller: Caller) async -> Result<AnyBox?, any Error> {
        if let ready = caller.waiter.take() { return ready }
        let request = request
        return await withTaskCancellationHandler {
            await caller.waiter.wait()
        } onCancel: {
            request.send(.callCancelled(caller.call))
        }
    }

    /// What a caller is answered with.
    private func acquired(
        _ result: Result<AnyBox?, any Error>,
        _ call: Int,
        _ entry: Int,
        _ core: StoreCore,
        _ resource: ResourceInfo,
        _ kind: Lifecycle.Call.Kind
    ) throws -> Acquired {
        guard let box = try result.get() else { preconditionFailure("a waiter resumed without a value") }
        guard kind == .use || kind == .exclusive else { return Acquired(box: box, entry: entry, call: nil) }
        // Its function may have ended since the value was handed over.
        guard request.state.withLock({ $0.lifecycle.canBegin(call) }) else {
            request.send(.callEnded(call))
            throw core.error(.resourceLost(nil), key: resource.name)
        }
        return Acquired(box: box, entry: entry, call: call)
    }

    fileprivate enum Started: Sendable {
        /// The caller that started the flight is answered.
        case answered(Result<AnyBox?, any Error>)
        /// It waits as all others do.
        case waiting(Waiter)
    }

    /// Starts a flight in a task that the store owns: the callers' cancellation does not reach it (rule 9).
    ///
    /// It runs inline until it first suspends; what it came to by then, the caller is told without waiting.
    private func startFlight(_ acquisition: Acquisition, for call: Int) -> Started {
        let start = Moment.now
        let task = acquisition.start()
        let landed = acquisition.landedAtOnce()
        let elapsed = start.duration(to: .now)
        reportBlocking(acquisition, elapsed, limit: acquisition.resource.limits.acquire)
        if let landed { return land(acquisition, landed, for: call) }
        let request = request
        let (started, cancelled, isFlying) = request.state.withLock { state in
            let started = state.started(acquisition, call)
            guard state.acquisitions[acquisition.entry] === acquisition else { return (started, false, false) }
            let isFlying = state.lifecycle.isFlying(acquisition.entry)
            // Its release may run already, and then it is the release that can be cancelled. A task that has ended is not
            // kept, because it takes a kilobyte; that of an `around` function ends with the release.
            if acquisition.task == nil, acquisition.resource.form == .around || isFlying { acquisition.task = task }
            return (started, acquisition.cancelRequested, isFlying)
        }
        if cancelled {
            task.cancel()
            self.limit(acquisition, .cancelling)
        } else if isFlying {
            limit(acquisition, .acquiring, passed: elapsed)
        }
        return started
    }

    /// Ends a flight that did not suspend.
    private func land(_ acquisition: Acquisition, _ result: Result<AnyBox, any Error>, for call: Int) -> Started {
        observeArrival(acquisition, result)
        let request = request
        if case .success(let box) = result, acquisition.resource.limits.hold == nil,
            request.state.withLock({ $0.arriveAtOnce(acquisition, box, startedBy: call) })
        {
            return .answered(.success(box))
        }
        let (effects, started) = request.state.withLock { state in
            let event = state.note(result, of: acquisition)
            let effects = request.effects(&state) { state, actions in state.lifecycle.handle(event, &actions) }
            return (effects, state.started(acquisition, call))
        }
        request.perform(effects)
        return started
    }

    /// Reports code that kept its thread for longer than it may run: it could not be cancelled.
    func reportBlocking(_ acquisition: Acquisition, _ elapsed: Duration, limit: Duration) {
        guard elapsed > limit else { return }
        report(.blocked(resource: acquisition.resource.name, acquiredAt: acquisition.acquiredAt, elapsed))
    }

    /// Starts a task of the store for a factory or a release, which runs inline until it first suspends, unless that were
    /// too deep.
    ///
    /// Every 16th of a long chain, each of which starts the next, does not run inline. The task has no name: that would cost a
    /// third of what the task does.
    @inline(__always)
    func startTask(
        depth: Int,
        _ body: @escaping @Sendable () async -> Void,
        inline: (TaskPriority?) -> Task<Void, Never>
    ) -> Task<Void, Never> {
        guard ScopeOwnership.current == nil else {
            return ScopeOwnership.withNone { startTask(depth: depth, body, inline: inline) }
        }
        guard depth % 16 != 0 else { return Task(executorPreference: executor, priority: priority) { await body() } }
        guard let executor else { return inline(priority) }
        return Task.immediate(priority: priority, executorPreference: executor) { await body() }
    }

    /// Ends a flight that suspended, or gives the value of an `around` function.
    func landed(_ acquisition: Acquisition, _ result: Result<AnyBox, any Error>) {
        let isTold = observeArrival(acquisition, result)
        let request = request
        if case .success(let box) = result, acquisition.resource.form == .around,
            acquisition.resource.limits.hold == nil,
            request.state.withLock({ $0.arriveAtOnce(acquisition, box) })
        {
            return
        }
        var isExpected = false
        var deadline: Deadlines.Token?
        let effects = request.state.withLock { state in
            isExpected = state.lifecycle.isFlying(acquisition.entry)
            if case .success = result { deadline = acquisition.deadline.take() }
            let event = state.note(result, of: acquisition)
            return request.effects(&state) { state, actions in state.lifecycle.handle(event, &actions) }
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        if isTold, !isExpected, case .success = result, let observed = acquisition.observed {
            // The `around` function ended while it handed in its value: nobody holds it, and nobody will release it.
            tell(.released(observed, error(.resourceLost(nil), key: acquisition.resource.name)))
        }
        request.perform(effects)
    }
}

extension RequestCore.State {
    /// Keeps what a flight came to.
    ///
    /// - Returns: What the lifecycle is told.
    fileprivate mutating func note(_ result: Result<AnyBox, any Error>, of acquisition: Acquisition) -> Lifecycle.Event
    {
        switch result {
        case .success(let box):
            acquisition.box = box
            if acquisition.resource.form != .around { acquisition.task = nil }
            return .arrived(acquisition.entry)
        case .failure(let error):
            if lifecycle.isFlying(acquisition.entry) { acquisition.failure = error }
            return .flightFailed(acquisition.entry)
        }
    }

    /// Keeps the value of a flight, if nobody waits for it but the caller that started it.
    fileprivate mutating func arriveAtOnce(_ acquisition: Acquisition, _ box: AnyBox, startedBy call: Int) -> Bool {
        guard lifecycle.arriveAtOnce(acquisition.entry, startedBy: call) else { return false }
        _ = waiters.remove(call)
        acquisition.box = box
        acquisition.core.slot.memory.publish(box, acquisition.resource.tag, of: acquisition.core.identity)
        return true
    }

    /// Keeps the value of an `around` function that has not suspended, if nobody waits for it but the caller that started it.
    fileprivate mutating func arriveAtOnce(_ acquisition: Acquisition, _ box: AnyBox) -> Bool {
        guard acquisition.deadline == nil, let call = lifecycle.onlyCall(of: acquisition.entry),
            case .starting? = waiters[call],
            arriveAtOnce(acquisition, box, startedBy: call)
        else { return false }
        acquisition.answer = .success(box)
        return true
    }

    /// What the caller is told that started a flight; if that is not known yet, it waits as all others do.
    fileprivate mutating func started(_ acquisition: Acquisition, _ call: Int) -> StoreCore.Started {
        if let answer = acquisition.answer.take() { return .answered(answer) }
        let waiter = Waiter()
        waiters[call] = .waiting(waiter, acquisition.resource, acquisition.core)
        return .waiting(waiter)
    }
}

extension StoreCore {
    /// The value of a resource that is held.
    func held(_ resource: Int) -> AnyBox? {
        let owner = owner(of: resource)
        return request.state.withLock { state in
            guard scope == owner || state.lifecycle.phase(of: scope) != .closed else { return nil }
            return state.lifecycle.heldEntry(of: resource, scope: owner).flatMap { state.acquisitions[$0]?.box }
        }
    }
}

extension RequestCore.State {
    /// The store of a scope; `nil` for the root's.
    func core(of scope: Int) -> StoreCore? { scope == Lifecycle.rootScope ? nil : children[scope - 1] }

    fileprivate func box(of entry: Int, _ info: ResourceInfo, _ scope: Int) -> AnyBox? {
        if let memo = info.memo { return read(scope) { $0.memos.entry(memo, id: info.id)?.box } }
        return acquisitions[entry]?.box
    }
}

// MARK: - Limits

extension StoreCore {
    /// Does `expire` after `limit`, unless the store is gone.
    ///
    /// It runs in a task of the store's own, with the store current and at its priority: what follows from it may run a
    /// user's code, such as a release, which must not hold up the limits of others. The task starts when the time has
    /// passed, not before.
    func schedule(after limit: Duration, _ expire: @escaping @Sendable (StoreCore) -> Void) -> Deadlines.Token {
        // By where it is: once anything refers to an object weakly, everybody who retains it pays for that.
        let (slot, number) = (slot, identity)
        return Deadlines.shared.schedule(after: limit) {
            guard let core = slot.memory.core(of: number) else { return }
            let (executor, priority) = (core.executor, core.priority)
            Task.detached(name: "limits of request \(core.id)", executorPreference: executor, priority: priority) {
                Ambient.with(Ambient.Context(core)) { expire(core) }
            }
        }
    }

    /// Sets the time limit of a stage of an acquisition, unless the stage is over already.
    ///
    /// - Parameter passed: How much of it has passed.
    func limit(_ acquisition: Acquisition, _ stage: Lifecycle.Stage, passed: Duration = .zero) {
        let limits = acquisition.resource.limits
        let limit = (stage == .acquiring ? limits.acquire : limits.release) - passed
        let request = request
        let isUnderWay = request.state.withLock { $0.lifecycle.isUnderWay(acquisition.entry, stage) }
        guard isUnderWay else { return }
        let token = schedule(after: max(limit, .zero)) { $0.pass(stage, of: acquisition) }
        let previous: Deadlines.Token? = request.state.withLock { state in
            guard state.lifecycle.isUnderWay(acquisition.entry, stage) else { return token }
            let previous = acquisition.deadline
            acquisition.deadline = token
            return previous
        }
        if let previous { Deadlines.shared.cancel(previous) }
    }

    /// A stage of an acquisition has taken as long as it may, if it is not over.
    private func pass(_ stage: Lifecycle.Stage, of acquisition: Acquisition) {
        let event = Lifecycle.Event.deadline(acquisition.entry, stage)
        guard let observed = acquisition.observed else { return request.send(event) }
        var isUnderWay = false
        let effects = request.effects(of: event) { isUnderWay = $0.lifecycle.isUnderWay(acquisition.entry, stage) }
        let limits = acquisition.resource.limits
        let limit = RequestEvent.Limit(
            subject: .init(stage),
            acquisition: observed,
            duration: stage == .acquiring ? limits.acquire : limits.release
        )
        if isUnderWay { tell(.other(.limitPassed(limit))) }
        request.perform(effects)
    }

    /// Reports a resource that is held for too long, once.
    func limitHold(_ acquisition: Acquisition) {
        guard let limit = acquisition.resource.limits.hold else { return }
        let (entry, resource, position) = (acquisition.entry, acquisition.resource, acquisition.acquiredAt)
        let observed = acquisition.observed
        let token = schedule(after: limit) { $0.reportHold(of: entry, resource, position, limit, observed) }
        let isHeld = request.state.withLock { state in
            // The record of what was released early or lost can outlive it.
            guard state.lifecycle.isHeld(acquisition.entry) else { return false }
            acquisition.holdLimit = token
            return true
        }
        if !isHeld { Deadlines.shared.cancel(token) }
    }

    /// Reports that a resource is held for too long, if it still is: the limit may pass while it is cancelled, and then the
    /// store may be open again as another request's.
    func reportHold(
        of entry: Int,
        _ resource: ResourceInfo,
        _ position: SourcePosition,
        _ limit: Duration,
        _ observed: RequestEvent.Acquisition? = nil
    ) {
        guard request.state.withLock({ $0.lifecycle.isHeld(entry) }) else { return }
        if let observed {
            tell(.other(.limitPassed(RequestEvent.Limit(subject: .hold, acquisition: observed, duration: limit))))
        }
        report(.heldTooLong(resource: resource.name, acquiredAt: position, limit))
    }
}

// MARK: - Errors

extension StoreCore {
    func error(of refusal: Lifecycle.Refusal, for info: ResourceInfo, _ state: borrowing RequestCore.State) -> any Error
    {
        let reason: RequestStoreError.Reason
        switch refusal {
        case .callerCancelled: return CancellationError()
        case .notOwned: reason = .privateStore
        case .pointBegan: reason = .releasePointBegan(info.point)
        case .closed: reason = .requestEnded
        case .released: reason = .released
        case .spent: reason = .releasedEarly
        case .lost: reason = .resourceLost(nil)
        case .stillEnding: reason = .stillEnding
        case .cycle(let path): reason = .cycle(path.map(state.name))
        case .deadlock(let path): reason = .deadlock(path.map(state.name))
        case .inUse(let entry): reason = .inUse(by: state.name(of: entry))
        case .captive(let dependent): reason = .captive(by: state.name(of: dependent))
        case .claimed(let claimant): reason = .claimed(by: state.name(of: claimant), for: nil)
        }
        return error(reason, key: info.name)
    }
}
