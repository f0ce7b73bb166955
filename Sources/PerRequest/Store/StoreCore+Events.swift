import Synchronization

/// What is to be done once the lock was given back.
enum Effect: Sendable {
    case resume(Waiter, Result<AnyBox?, any Error>)
    case cancel(Task<Void, Never>)
    case release(Acquisition, AnyBox, RequestOutcome)
    case limitEnding(Acquisition)
    case report(RequestReport.Kind)
    case observeAcquired(String)
    case observeReleased(String, (any Error)?)
    case observeClosed(RequestOutcome)
    /// What has to be let go outside the lock, because letting go may run a `deinit`.
    case drop(ValueTable)
    case dropRecord(AcquisitionRecord)
}

extension StoreCore {
    /// Gives an event to the lifecycle and performs what follows from it.
    ///
    /// - Parameter prepare: Changes the state first, in the same step.
    func send(_ event: Lifecycle.Event, prepare: (inout sending State) -> Void = { _ in }) {
        perform(effects(of: event, prepare: prepare))
    }

    /// Gives an event to the lifecycle.
    ///
    /// The caller performs the effects.
    func effects(of event: Lifecycle.Event, prepare: (inout sending State) -> Void = { _ in }) -> [Effect] {
        state.withLock { state in
            prepare(&state)
            let actions = state.lifecycle.handle(event)
            return resolve(actions, &state)
        }
    }

    /// Performs effects in order.
    ///
    /// Each is let go before the next, so that what is dropped is gone in time.
    func perform(_ effects: consuming [Effect]) {
        effects.reverse()
        while let effect = effects.popLast() {
            switch effect {
            case .resume(let waiter, let result): waiter.resume(result)
            case .cancel(let task): task.cancel()
            case .release(let acquisition, let box, let outcome):
                effects.append(contentsOf: release(acquisition, box, outcome).reversed())
            case .limitEnding(let acquisition):
                limit(acquisition, .cancelling, to: acquisition.resource.releaseTimeout)
            case .report(let kind): report(kind)
            case .observeAcquired(let name): observer?.acquired(name, in: RequestStore(core: self))
            case .observeReleased(let name, let error):
                observer?.released(name, in: RequestStore(core: self), error: error)
            case .observeClosed(let outcome): observer?.closed(RequestStore(core: self), outcome: outcome)
            case .drop, .dropRecord: break
            }
        }
    }

    /// Looks up, under the lock, what the lifecycle's numbers stand for.
    private func resolve(_ actions: [Lifecycle.Action], _ state: inout State) -> [Effect] {
        var effects: [Effect] = []
        for action in actions {
            switch action {
            case .acquired(let id):
                guard let acquisition = state.acquisitions[id]?.acquisition else { break }
                effects.append(.observeAcquired(acquisition.resource.name))
            case .resume(let id, let resumption):
                guard let pending = state.waiters.removeValue(forKey: id) else { break }
                effects.append(.resume(pending.waiter, result(of: resumption, for: pending.resource, state)))
            case .cancelFlight(let id):
                guard let record = state.acquisitions[id] else { break }
                if let task = record.task {
                    effects.append(.cancel(task))
                    effects.append(.limitEnding(record.acquisition))
                }
                state.acquisitions[id]?.cancelRequested = true
            case .release(let id, let late):
                guard let record = state.acquisitions[id], let box = record.box else { break }
                effects.append(.release(record.acquisition, box, state.outcome(late: late)))
            case .cancelRelease(let id):
                guard let task = state.acquisitions[id]?.task else { break }
                effects.append(.cancel(task))
            case .overran(let id, let stage):
                guard let acquisition = state.acquisitions[id]?.acquisition else { break }
                overran(acquisition, stage, &state, &effects)
            case .forget(let id):
                guard let record = state.acquisitions.removeValue(forKey: id) else { break }
                if let deadline = record.deadline { Deadlines.shared.cancel(deadline) }
                effects.append(.dropRecord(record))
            case .settled:
                settled(&state, &effects)
            case .closed:
                effects.append(.drop(state.values))
                state.values = [:]
                effects.append(.observeClosed(state.outcome()))
                resumePhaseWaiters(.closed, &state, &effects)
            }
        }
        return effects
    }

    private func result(
        of resumption: Lifecycle.Resumption,
        for resource: ResourceInfo,
        _ state: State
    ) -> Result<AnyBox?, any Error> {
        switch resumption {
        case .value(let id): .success(state.acquisitions[id]?.box)
        case .failure(let id): .failure(state.acquisitions[id]?.failure ?? CancellationError())
        case .cancelled: .failure(CancellationError())
        case .timedOut: .failure(error(.acquireTimedOut(resource.acquireTimeout), key: resource.name))
        case .pointBegan: .failure(error(.releasePointBegan(resource.point), key: resource.name))
        }
    }

    private func overran(
        _ acquisition: Acquisition,
        _ stage: Lifecycle.Stage,
        _ state: inout State,
        _ effects: inout [Effect]
    ) {
        guard stage == .releasing else {
            let name = acquisition.resource.name
            return effects.append(.report(.flightOverran(resource: name, acquiredAt: acquisition.acquiredAt)))
        }
        let reason = RequestStoreError.Reason.releaseTimedOut(acquisition.resource.releaseTimeout)
        let failure = acquisition.failure(error(reason, key: acquisition.resource.name))
        state.releaseFailures.append(failure)
        effects.append(.report(.releaseFailed(failure)))
    }

    private func settled(_ state: inout State, _ effects: inout [Effect]) {
        if state.lifecycle.response != .asIntended {
            state.status = state.status?.replaced(by: state.lifecycle.response)
            if state.ending == nil, let error = RequestReleaseError(request: id, outcome: state.outcome()) {
                state.ending = .failed(error)
            }
        }
        resumePhaseWaiters(.settled, &state, &effects)
    }

    private func resumePhaseWaiters(_ phase: Lifecycle.Phase, _ state: inout State, _ effects: inout [Effect]) {
        for waiting in state.phaseWaiters where waiting.phase <= phase {
            effects.append(.resume(waiting.waiter, .success(nil)))
        }
        state.phaseWaiters.removeAll { $0.phase <= phase }
    }
}

extension Acquisition {
    func failure(_ error: any Error) -> ReleaseFailure {
        ReleaseFailure(resource: resource.name, acquiredAt: acquiredAt, error: error)
    }
}
