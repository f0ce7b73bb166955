import Synchronization

extension StoreCore {
    /// The held value of a resource, acquired if need be.
    ///
    /// - Parameter pins: The caller uses the value in a body and sends ``Lifecycle/Event/useEnded(_:)`` after it.
    nonisolated(nonsending) func acquire(
        _ source: some Acquirable,
        from position: SourcePosition,
        pins: Bool = false
    ) async throws -> Acquired {
        // What a factory of a child acquires is held for the child's resource.
        guard let factory = Ambient.factory, source.info.form != .memo, isParent(of: factory) else {
            return try await acquireWithoutHold(source, from: position, pins: pins)
        }
        let acquired = try await acquireWithoutHold(source, from: position, pins: true)
        hold(acquired.entry, for: factory, pins: pins)
        return acquired
    }

    private nonisolated(nonsending) func acquireWithoutHold(
        _ source: some Acquirable,
        from position: SourcePosition,
        pins: Bool
    ) async throws -> Acquired {
        switch admit(source, from: position, pins: pins) {
        case .ready(let acquired):
            return acquired
        case .refuse(let error):
            throw error
        case .join(let pending):
            return try await wait(for: pending)
        case .start(let pending, let acquisition):
            startFlight(of: source, acquisition)
            return try await wait(for: pending)
        }
    }

    struct Acquired: Sendable {
        let box: AnyBox
        let entry: Int
    }

    private enum Admission: Sendable {
        case ready(Acquired)
        case join(Pending)
        case start(Pending, Acquisition)
        case refuse(any Error)
    }

    private struct Pending: Sendable {
        let waiter: Waiter
        let number: Int
        let entry: Int
    }

    private func admit(_ source: some Acquirable, from position: SourcePosition, pins: Bool) -> Admission {
        let info = source.info
        let factory = Ambient.factory
        if let captor = captor(in: factory) {
            return .refuse(error(.captive(by: captor.name), key: info.name))
        }
        let dependent = factory?.nearest(in: self)
        let request = ResourceRequest(
            resource: info.id,
            form: info.form,
            point: info.point,
            isCancelled: Task.isCancelled,
            dependent: dependent?.entry,
            pins: pins
        )
        return state.withLock { state in
            if let memo = info.memo, let box = state.memos.value(memo, resource: info.id) {
                return .ready(Acquired(box: box, entry: -1))
            }
            switch state.lifecycle.acquire(request, waiter: state.nextWaiter) {
            case .ready(let entry):
                guard let box = state.acquisitions[entry]?.box else { preconditionFailure("held without a value") }
                return .ready(Acquired(box: box, entry: entry))
            case .join(let entry):
                let (waiter, number) = state.addWaiter(info)
                return .join(Pending(waiter: waiter, number: number, entry: entry))
            case .start(let entry):
                let (waiter, number) = state.addWaiter(info)
                let acquisition = Acquisition(
                    entry: entry,
                    resource: info,
                    acquiredAt: position,
                    release: source.makeRelease(in: self)
                )
                state.acquisitions[entry] = AcquisitionRecord(acquisition: acquisition)
                return .start(Pending(waiter: waiter, number: number, entry: entry), acquisition)
            case .refuse(let refusal):
                if case .cycle(let path) = refusal, let factory, let dependent {
                    let names = factory.names(from: dependent) + path.dropFirst().map { state.name(of: $0) }
                    return .refuse(error(.cycle(names), key: info.name))
                }
                return .refuse(error(of: refusal, for: info, state))
            }
        }
    }

    private nonisolated(nonsending) func wait(for pending: Pending) async throws -> Acquired {
        let result: Result<AnyBox?, any Error>
        if let ready = pending.waiter.take() {
            result = ready
        } else {
            result = await withTaskCancellationHandler {
                await pending.waiter.wait()
            } onCancel: {
                send(.waiterCancelled(pending.number, entry: pending.entry))
            }
        }
        guard let box = try result.get() else { preconditionFailure("a waiter resumed without a value") }
        return Acquired(box: box, entry: pending.entry)
    }

    /// Starts the flight in a task that the store owns: the callers' cancellation does not reach it (rule 9).
    ///
    /// It runs inline until it first suspends.
    private func startFlight(of source: some Acquirable, _ acquisition: Acquisition) {
        let resource = acquisition.resource.name
        let factory = RunningFactory(core: self, entry: acquisition.entry, name: resource, inside: Ambient.factory)
        let context = Ambient.Context(self, factory: factory)
        let task = Task.immediate(
            name: acquisition.resource.acquireTaskName,
            priority: priority,
            executorPreference: executor
        ) {
            await Ambient.with(context) { await source.fly(acquisition, in: self) }
        }
        let cancelled: Bool = state.withLock { state in
            guard let record = state.acquisitions[acquisition.entry] else { return false }
            // Its release may run already, and then it is the release that can be cancelled. A task that has ended is not
            // kept, because it takes a kilobyte; that of an `around` function ends with the release.
            let runs = acquisition.resource.form == .around || state.lifecycle.isFlying(acquisition.entry)
            if record.task == nil, runs { record.task = task }
            return record.cancelRequested
        }
        if cancelled {
            task.cancel()
            limit(acquisition, .cancelling)
        } else {
            limit(acquisition, .acquiring)
        }
    }

    /// Publishes the value of a flight.
    ///
    /// The observer is told before: nobody can release what is not published, so that it sees `acquired` before
    /// `released`.
    func arrived(_ acquisition: Acquisition, _ box: AnyBox) {
        let observer = acquisition.resource.form == .memo || !configuration.isObserved ? nil : observer
        observer?.acquired(acquisition.resource.name, in: RequestStore(core: self))
        var isExpected = false
        var deadline: Deadlines.Token?
        let effects = effects(of: .arrived(acquisition.entry)) { state in
            isExpected = state.lifecycle.isFlying(acquisition.entry)
            let record = state.acquisitions[acquisition.entry]
            deadline = record?.deadline
            record?.deadline = nil
            record?.box = box
            if acquisition.resource.form != .around { record?.task = nil }
            if let memo = acquisition.resource.memo, !state.lifecycle.hasBegun(acquisition.resource.point) {
                state.memos.store(box, memo, resource: acquisition.resource.id)
            }
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        if !isExpected {
            // The `around` function ended while it handed in its value: nobody holds it, and nobody will release it.
            let error = error(.resourceLost(nil), key: acquisition.resource.name)
            observer?.released(acquisition.resource.name, in: RequestStore(core: self), error: error)
        }
        perform(effects)
    }

    /// Ends a flight that has no value.
    func flightFailed(_ acquisition: Acquisition, _ error: any Error) {
        send(.flightFailed(acquisition.entry)) { state in
            guard state.lifecycle.isFlying(acquisition.entry) else { return }
            state.acquisitions[acquisition.entry]?.failure = error
        }
    }
}

extension StoreCore {
    /// The value of a resource that is held.
    func held(_ resource: Int) -> AnyBox? {
        state.withLock { state in
            state.lifecycle.heldEntry(of: resource).flatMap { state.acquisitions[$0]?.box }
        }
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
    func limit(_ acquisition: Acquisition, _ stage: Lifecycle.Stage) {
        let limits = acquisition.resource.limits
        let limit = stage == .acquiring ? limits.acquire : limits.release
        let isUnderWay = state.withLock { $0.lifecycle.isUnderWay(acquisition.entry, stage) }
        guard isUnderWay else { return }
        let token = schedule(after: limit) { $0.send(.deadline(acquisition.entry, stage)) }
        let previous: Deadlines.Token? = state.withLock { state in
            guard state.lifecycle.isUnderWay(acquisition.entry, stage) else { return token }
            let record = state.acquisitions[acquisition.entry]
            let previous = record?.deadline
            record?.deadline = token
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
        let isHeld = state.withLock { state in
            // The record of what was released early or lost can outlive it.
            guard state.lifecycle.isHeld(acquisition.entry) else { return false }
            state.acquisitions[acquisition.entry]?.holdLimit = token
            return true
        }
        if !isHeld { Deadlines.shared.cancel(token) }
    }
}

// MARK: - Errors

extension StoreCore {
    private func error(of refusal: Lifecycle.Refusal, for info: ResourceInfo, _ state: State) -> any Error {
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
        case .cycle(let path): reason = .cycle(path.map { state.name(of: $0) })
        case .captive(let dependent): reason = .captive(by: state.name(of: dependent))
        }
        return error(reason, key: info.name)
    }
}

extension StoreCore.State {
    func name(of entry: Int) -> String { acquisitions[entry]?.acquisition.resource.name ?? "?" }
}
