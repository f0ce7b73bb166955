import Synchronization

/// Something a store can acquire: the two forms of ``RequestResource``.
protocol Acquirable: Sendable {
    var info: ResourceInfo { get }

    /// How what is acquired will be released.
    ///
    /// Called under the store's lock: it only makes objects.
    func makeRelease(in core: StoreCore) -> Acquisition.ReleaseForm

    /// Acquires, and tells the core when the value is there or that there will be none.
    func fly(_ acquisition: Acquisition, in core: StoreCore) async
}

extension StoreCore {
    /// The held value of a resource, acquired if need be.
    nonisolated(nonsending) func acquire(_ source: some Acquirable, from position: SourcePosition) async throws
        -> AnyBox
    {
        switch admit(source, from: position) {
        case .ready(let box):
            return box
        case .refuse(let refusal):
            throw error(of: refusal, for: source.info)
        case .join(let pending):
            return try await wait(for: pending)
        case .start(let pending, let acquisition):
            startFlight(of: source, acquisition)
            return try await wait(for: pending)
        }
    }

    private enum Admission: Sendable {
        case ready(AnyBox)
        case join(Pending)
        case start(Pending, Acquisition)
        case refuse(Lifecycle.Refusal)
    }

    fileprivate struct Pending: Sendable {
        let waiter: Waiter
        let number: Int
        let entry: Int
    }

    private func admit(_ source: some Acquirable, from position: SourcePosition) -> Admission {
        let info = source.info
        let mayStart = !Task.isCancelled
        return state.withLock { state in
            let number = state.nextWaiter
            let admission = state.lifecycle.acquire(info.id, at: info.point, waiter: number, mayStart: mayStart)
            switch admission {
            case .ready(let entry):
                guard let box = state.acquisitions[entry]?.box else { preconditionFailure("held without a value") }
                return .ready(box)
            case .join(let entry):
                return .join(state.addWaiter(for: entry, info))
            case .start(let entry):
                let acquisition = Acquisition(
                    entry: entry,
                    resource: info,
                    acquiredAt: position,
                    release: source.makeRelease(in: self)
                )
                state.acquisitions[entry] = AcquisitionRecord(acquisition: acquisition)
                return .start(state.addWaiter(for: entry, info), acquisition)
            case .refuse(let refusal):
                return .refuse(refusal)
            }
        }
    }

    private nonisolated(nonsending) func wait(for pending: Pending) async throws -> AnyBox {
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
        return box
    }

    /// Starts the flight in a task that the store owns: the callers' cancellation does not reach it (rule 9).
    ///
    /// It runs inline until it first suspends.
    private func startFlight(of source: some Acquirable, _ acquisition: Acquisition) {
        let task = Task.immediate(name: "acquire \(acquisition.resource.name)", priority: priority) {
            await Ambient.ensure(self) { await source.fly(acquisition, in: self) }
        }
        let cancelled: Bool = state.withLock { state in
            guard let record = state.acquisitions[acquisition.entry] else { return false }
            state.acquisitions[acquisition.entry]?.task = task
            return record.cancelRequested
        }
        if cancelled {
            task.cancel()
            limit(acquisition, .cancelling, to: acquisition.resource.releaseTimeout)
        } else {
            limit(acquisition, .acquiring, to: acquisition.resource.acquireTimeout)
        }
    }

    /// Sets a time limit to a stage of an acquisition, unless the stage is over already.
    func limit(_ acquisition: Acquisition, _ stage: Lifecycle.Stage, to limit: Duration) {
        let isUnderWay = state.withLock { $0.lifecycle.isUnderWay(acquisition.entry, stage) }
        guard isUnderWay else { return }
        let token = Deadlines.shared.schedule(after: limit) { [weak self] in
            self?.send(.deadline(acquisition.entry, stage))
        }
        let previous: Deadlines.Token? = state.withLock { state in
            guard state.lifecycle.isUnderWay(acquisition.entry, stage) else { return token }
            let previous = state.acquisitions[acquisition.entry]?.deadline
            state.acquisitions[acquisition.entry]?.deadline = token
            return previous
        }
        if let previous { Deadlines.shared.cancel(previous) }
    }

    /// Publishes the value of a flight.
    func arrived(_ acquisition: Acquisition, _ box: AnyBox) {
        var deadline: Deadlines.Token?
        let effects = effects(of: .arrived(acquisition.entry)) { state in
            deadline = state.acquisitions[acquisition.entry]?.deadline
            state.acquisitions[acquisition.entry]?.deadline = nil
            state.acquisitions[acquisition.entry]?.box = box
        }
        if let deadline { Deadlines.shared.cancel(deadline) }
        perform(effects)
    }

    /// Ends a flight that has no value.
    func flightFailed(_ acquisition: Acquisition, _ error: any Error) {
        send(.flightFailed(acquisition.entry)) { state in
            state.acquisitions[acquisition.entry]?.failure = error
        }
    }

    private func error(of refusal: Lifecycle.Refusal, for info: ResourceInfo) -> any Error {
        let reason: RequestStoreError.Reason
        switch refusal {
        case .callerCancelled: return CancellationError()
        case .notOwned: reason = .privateStore
        case .pointBegan: reason = .releasePointBegan(info.point)
        case .closed: reason = .requestEnded
        case .released: reason = .released
        case .lost: reason = .resourceLost(nil)
        case .stillEnding: reason = .stillEnding
        }
        return error(reason, key: info.name)
    }
}

extension StoreCore.State {
    fileprivate mutating func addWaiter(for entry: Int, _ info: ResourceInfo) -> StoreCore.Pending {
        let waiter = Waiter()
        let number = nextWaiter
        nextWaiter += 1
        waiters[number] = PendingWaiter(waiter: waiter, resource: info)
        return StoreCore.Pending(waiter: waiter, number: number, entry: entry)
    }
}

extension Lifecycle {
    /// Whether an entry is in a stage that can have a time limit.
    func isUnderWay(_ id: Int, _ stage: Stage) -> Bool {
        guard let state = entries.first(where: { $0.id == id })?.state else { return false }
        return switch (stage, state) {
        case (.acquiring, .acquiring), (.cancelling, .cancelling), (.releasing, .releasing): true
        default: false
        }
    }
}
