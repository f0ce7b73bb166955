import Synchronization

extension StoreCore {
    /// The held value of a resource, acquired if need be, when it is the caller's turn.
    ///
    /// - Parameter kind: What the caller wants of it. One that uses the value in a body sends
    ///   ``Lifecycle/Event/callEnded(_:)`` after it.
    nonisolated(nonsending) func acquire(
        _ source: some Acquirable,
        from position: SourcePosition,
        as kind: Lifecycle.Call.Kind = .read
    ) async throws -> Acquired {
        switch admit(source, from: position, kind) {
        case .ready(let acquired):
            return acquired
        case .refuse(let error):
            throw error
        case .gone:
            throw MemoTable.EntryGone()
        case .wait(let pending):
            return try await wait(for: pending)
        case .start(let pending, let acquisition):
            acquisition.core.startFlight(of: source, acquisition)
            return try await wait(for: pending)
        }
    }

    struct Acquired: Sendable {
        let box: AnyBox
        let entry: Int
        /// The body, if the value is used in one.
        let call: Int?
    }

    private enum Admission: Sendable {
        case ready(Acquired)
        case wait(Pending)
        case start(Pending, Acquisition)
        case refuse(any Error)
        /// The entry of a memo that the caller has found is not there any more.
        case gone
    }

    private struct Pending: Sendable {
        let waiter: Waiter
        let call: Int
        let entry: Int
        let core: StoreCore
        let resource: ResourceInfo
        let isUsed: Bool
    }

    private func admit(_ source: some Acquirable, from position: SourcePosition, _ kind: Lifecycle.Call.Kind)
        -> Admission
    {
        let info = source.info
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
            wanted.inside = surroundings?.innermost(of: request.identity, in: state.lifecycle)
            let core = state.core(of: owner) ?? request
            if let memo = info.memo, let found = state.read(owner, { $0.memos.entry(memo, id: info.id) }) {
                wanted.entry = found.entry
                if let box = found.box {
                    if found.entry < 0, let entry = state.lifecycle.keepMemo(wanted) {
                        // The memo that is built on it ends with it, so that it has to be known.
                        state.acquisitions[entry] = Acquisition(
                            entry: entry,
                            core: core,
                            resource: info,
                            acquiredAt: position,
                            release: source.makeRelease(in: core)
                        )
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
                return .wait(pending(call, entry, info, core, kind, &state))
            case .start(let entry, let call):
                let acquisition = Acquisition(
                    entry: entry,
                    core: core,
                    resource: info,
                    acquiredAt: position,
                    release: source.makeRelease(in: core)
                )
                state.acquisitions[entry] = acquisition
                if let memo = info.memo { state.change(owner) { $0.memos.fly(memo, id: info.id, as: entry) } }
                return .start(pending(call, entry, info, core, kind, &state), acquisition)
            case .refuse(let refusal):
                // Without a call, nothing is left of it.
                if let memo = info.memo { unused = state.change(owner) { $0.memos.removeUnused(memo, id: info.id) } }
                return .refuse(core.error(of: refusal, for: info, state))
            }
        }
    }

    private func pending(
        _ call: Int,
        _ entry: Int,
        _ info: ResourceInfo,
        _ core: StoreCore,
        _ kind: Lifecycle.Call.Kind,
        _ state: inout RequestCore.State
    ) -> Pending {
        let waiter = Waiter()
        state.waiters[call] = PendingWaiter(waiter: waiter, resource: info, core: core)
        return Pending(
            waiter: waiter,
            call: call,
            entry: entry,
            core: core,
            resource: info,
            isUsed: kind == .use || kind == .exclusive
        )
    }

    private nonisolated(nonsending) func wait(for pending: Pending) async throws -> Acquired {
        let request = request
        let result: Result<AnyBox?, any Error>
        if let ready = pending.waiter.take() {
            result = ready
        } else {
            result = await withTaskCancellationHandler {
                await pending.waiter.wait()
            } onCancel: {
                request.send(.callCancelled(pending.call))
            }
        }
        guard let box = try result.get() else { preconditionFailure("a waiter resumed without a value") }
        guard pending.isUsed else { return Acquired(box: box, entry: pending.entry, call: nil) }
        // Its function may have ended since the value was handed over.
        let canBegin = request.state.withLock { $0.lifecycle.canBegin(pending.call) }
        guard canBegin else {
            request.send(.callEnded(pending.call))
            throw pending.core.error(.resourceLost(nil), key: pending.resource.name)
        }
        return Acquired(box: box, entry: pending.entry, call: pending.call)
    }

    /// Starts the flight in a task that the store owns: the callers' cancellation does not reach it (rule 9).
    ///
    /// It runs inline until it first suspends.
    private func startFlight(of source: some Acquirable, _ acquisition: Acquisition) {
        let request = request
        let start = ContinuousClock.now
        let context = Ambient.Context(self, for: acquisition.entry)
        let task = startTask(acquisition.resource.acquireTaskName, in: context) {
            await source.fly(acquisition, in: self)
        }
        let (cancelled, isFlying) = request.state.withLock { state in
            guard state.acquisitions[acquisition.entry] === acquisition else { return (false, false) }
            let isFlying = state.lifecycle.isFlying(acquisition.entry)
            // Its release may run already, and then it is the release that can be cancelled. A task that has ended is not
            // kept, because it takes a kilobyte; that of an `around` function ends with the release.
            if acquisition.task == nil, acquisition.resource.form == .around || isFlying { acquisition.task = task }
            return (acquisition.cancelRequested, isFlying)
        }
        let elapsed = start.duration(to: .now)
        reportBlocking(acquisition, elapsed, limit: acquisition.resource.limits.acquire)
        if cancelled {
            task.cancel()
            self.limit(acquisition, .cancelling)
        } else if isFlying {
            limit(acquisition, .acquiring, passed: elapsed)
        }
    }

    /// Reports code that kept its thread for longer than it may run: it could not be cancelled.
    func reportBlocking(_ acquisition: Acquisition, _ elapsed: Duration, limit: Duration) {
        guard elapsed > limit else { return }
        report(.blocked(resource: acquisition.resource.name, acquiredAt: acquisition.acquiredAt, elapsed))
    }

    /// Starts a task of the store, which runs inline until it first suspends, unless that were too deep.
    ///
    /// What is current there is bound around its start, for which nothing has to suspend; the task takes it along.
    func startTask(
        _ name: String,
        in context: Ambient.Context,
        _ body: @escaping @Sendable @isolated(any) () async -> Void
    ) -> Task<Void, Never> {
        Ambient.with(context) {
            guard context.startsImmediately else {
                return Task(name: name, executorPreference: executor, priority: priority, operation: body)
            }
            return Task.immediate(name: name, priority: priority, executorPreference: executor, operation: body)
        }
    }

    /// Publishes the value of a flight.
    ///
    /// The observer is told before: nobody can release what is not published, so that it sees `acquired` before
    /// `released`.
    func arrived(_ acquisition: Acquisition, _ box: AnyBox) {
        let observer = acquisition.resource.form == .memo || !configuration.isObserved ? nil : observer
        observer?.acquired(acquisition.resource.name, in: RequestStore(core: self))
        let request = request
        var isExpected = false
        var deadline: Deadlines.Token?
        let effects = request.effects(of: .arrived(acquisition.entry)) { state in
            isExpected = state.lifecycle.isFlying(acquisition.entry)
            deadline = acquisition.deadline
            acquisition.deadline = nil
            acquisition.box = box
            if acquisition.resource.form != .around { acquisition.task = nil }
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        if !isExpected {
            // The `around` function ended while it handed in its value: nobody holds it, and nobody will release it.
            let error = error(.resourceLost(nil), key: acquisition.resource.name)
            observer?.released(acquisition.resource.name, in: RequestStore(core: self), error: error)
        }
        request.perform(effects)
    }

    /// Ends a flight that has no value.
    func flightFailed(_ acquisition: Acquisition, _ error: any Error) {
        request.send(.flightFailed(acquisition.entry)) { state in
            guard state.lifecycle.isFlying(acquisition.entry) else { return }
            acquisition.failure = error
        }
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
        Deadlines.shared.schedule(after: limit) { [weak self] in
            guard let self else { return }
            Task.detached(name: "limits of request \(id)", executorPreference: executor, priority: priority) {
                Ambient.with(Ambient.Context(self)) { expire(self) }
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
        let token = schedule(after: max(limit, .zero)) { $0.request.send(.deadline(acquisition.entry, stage)) }
        let previous: Deadlines.Token? = request.state.withLock { state in
            guard state.lifecycle.isUnderWay(acquisition.entry, stage) else { return token }
            let previous = acquisition.deadline
            acquisition.deadline = token
            return previous
        }
        if let previous { Deadlines.shared.cancel(previous) }
    }

    /// Reports a resource that is held for too long, once.
    func limitHold(_ acquisition: Acquisition) {
        guard let limit = acquisition.resource.limits.hold else { return }
        let name = acquisition.resource.name
        let position = acquisition.acquiredAt
        let token = schedule(after: limit) {
            $0.report(.heldTooLong(resource: name, acquiredAt: position, limit))
        }
        let isHeld = request.state.withLock { state in
            // The record of what was released early or lost can outlive it.
            guard state.lifecycle.isHeld(acquisition.entry) else { return false }
            acquisition.holdLimit = token
            return true
        }
        if !isHeld { Deadlines.shared.cancel(token) }
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
        case .claimed(let claimant): reason = .claimed(by: state.name(of: claimant))
        }
        return error(reason, key: info.name)
    }
}
