import Synchronization

extension StoreCore {
    /// Runs a release in a task of its own, which the request's cancellation does not reach, and goes on where it suspends.
    ///
    /// - Returns: What follows, if the release ended at once; else its task sends the event when it ends.
    func release(_ acquisition: Acquisition, _ box: AnyBox, _ outcome: RequestOutcome) -> [Effect] {
        switch acquisition.release {
        case .gate(let gate):
            gate.open(outcome)
        case .closure(let body):
            let handoff = Handoff()
            let task = Task.immediate(name: "release \(acquisition.resource.name)", priority: priority) {
                let error = await Ambient.ensure(self) { () async -> (any Error)? in
                    do {
                        try await body(box, outcome)
                        return nil
                    } catch {
                        return error
                    }
                }
                if handoff.taskEnded(error) { self.perform(self.released(acquisition, error)) }
            }
            let end = handoff.starterLeaves()
            if end.ended { return released(acquisition, end.error) }
            state.withLock { $0.acquisitions[acquisition.entry]?.task = task }
        }
        limit(acquisition, .releasing, to: acquisition.resource.releaseTimeout)
        return []
    }

    /// Notes that a release ended.
    ///
    /// The caller performs the effects.
    func released(_ acquisition: Acquisition, _ error: (any Error)?) -> [Effect] {
        ended(acquisition, .released(acquisition.entry, failed: error != nil), error)
    }

    /// Notes that an `around` function ended while its value was in use.
    func lost(_ acquisition: Acquisition, _ cause: (any Error)?) {
        let error = (cause as? RequestStoreError) ?? error(.resourceLost(cause), key: acquisition.resource.name)
        perform(ended(acquisition, .lost(acquisition.entry), error))
    }

    private func ended(_ acquisition: Acquisition, _ event: Lifecycle.Event, _ error: (any Error)?) -> [Effect] {
        let failure = error.map(acquisition.failure)
        var isKnown = false
        var effects = effects(of: event) { state in
            isKnown = state.acquisitions[acquisition.entry]?.box != nil
            if isKnown, let failure { state.releaseFailures.append(failure) }
        }
        guard isKnown else { return effects }
        if let failure { effects.insert(.report(.releaseFailed(failure)), at: 0) }
        effects.insert(.observeReleased(acquisition.resource.name, error), at: 0)
        return effects
    }
}

// MARK: - Phases

extension StoreCore {
    /// Marks the request as failed, as long as its response is not settled.
    ///
    /// A `CancellationError` in a cancelled task says that the request was cancelled; anywhere else it is an error.
    func fail(_ error: any Error) {
        let ending: RequestOutcome.Ending =
            error is CancellationError && Task.isCancelled ? .cancelled : .failed(error)
        send(.fail) { state in
            guard state.lifecycle.phase == .open, state.ending == nil else { return }
            state.ending = ending
        }
    }

    /// Releases what has to be released before the response.
    ///
    /// Returns when that is done.
    nonisolated(nonsending) func settle(status: RequestStatus?) async -> RequestSettlement {
        await run(.settle(success: !(status?.isFailure ?? false)), until: .settled) { state in
            guard state.lifecycle.phase == .open else { return }
            state.status = status
        }
        return state.withLock { state in
            let outcome = state.outcome()
            guard state.lifecycle.response != .asIntended else {
                return RequestSettlement(outcome: outcome, failure: nil, replacement: nil)
            }
            let failure = RequestReleaseError(request: id, outcome: outcome)
            return RequestSettlement(outcome: outcome, failure: failure, replacement: state.status)
        }
    }

    /// Releases all that is held, after settling if need be.
    ///
    /// Returns when that is done and the store is empty.
    @discardableResult
    nonisolated(nonsending) func close(_ ending: RequestOutcome.Ending, status: RequestStatus?) async -> RequestOutcome
    {
        let isSuccess: Bool
        switch ending {
        case .completed, .clientDisconnected: isSuccess = !(status?.isFailure ?? false)
        case .failed, .cancelled, .abandoned: isSuccess = false
        }
        await run(.close(success: isSuccess), until: .closed) { state in
            guard state.lifecycle.phase <= .settled else { return }
            if let status { state.status = status }
            if case .completed = ending { return }
            if state.ending == nil { state.ending = ending }
        }
        return outcome
    }

    /// Sends the opener's event and waits until the phase is reached, if it is not reached at once.
    private nonisolated(nonsending) func run(
        _ event: Lifecycle.Event,
        until phase: Lifecycle.Phase,
        prepare: (inout sending State) -> Void
    ) async {
        let waiter = Waiter()
        let effects = effects(of: event) { state in
            prepare(&state)
            guard state.lifecycle.phase < phase else { return }
            state.phaseWaiters.append(PhaseWaiter(phase: phase, waiter: waiter))
        }
        perform(effects)
        let isReached = state.withLock { $0.lifecycle.phase >= phase }
        if !isReached { _ = await waiter.wait() }
    }

    /// Closes a store that its opener dropped.
    func abandon() {
        let held: [String]? = state.withLock { state in
            guard state.lifecycle.phase < .closing else { return nil }
            return state.acquisitions.sorted { $0.key < $1.key }.map(\.value.acquisition.resource.name)
        }
        guard let held else { return }
        report(.abandoned(resources: held))
        Task.detached(name: "close abandoned request \(id)", priority: priority) {
            await self.close(.abandoned, status: nil)
        }
    }
}

extension Ambient {
    /// Runs `body` with `core` current; binds it only where it is not current already.
    static nonisolated(nonsending) func ensure<Result>(
        _ core: StoreCore,
        _ body: nonisolated(nonsending) () async -> Result
    ) async -> Result {
        Ambient.core === core ? await body() : await with(core, body)
    }
}
