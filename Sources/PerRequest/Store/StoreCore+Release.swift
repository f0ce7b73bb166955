import Synchronization

extension StoreCore {
    /// Runs a release in a task of its own, which the request's cancellation does not reach, and goes on where it
    /// suspends.
    ///
    /// - Returns: What follows, if the release ended at once; else its task sends the event when it ends.
    func release(_ acquisition: Acquisition, _ box: AnyBox, _ outcome: RequestOutcome) -> [Effect] {
        switch acquisition.release {
        case .gate(let gate):
            gate.open(outcome)
        case .closure(let body):
            let handoff = Handoff()
            let task = Task.immediate(
                name: acquisition.resource.releaseTaskName,
                priority: priority,
                executorPreference: executor
            ) {
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
        limit(acquisition, .releasing)
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
        var isTold = false
        var holdLimit: Deadlines.Token?
        var holds: [Hold] = []
        var effects = effects(of: event) { state in
            let record = state.acquisitions[acquisition.entry]
            isKnown = record?.box != nil
            // Whoever released it early gets its error; then it is no failure of the request.
            isTold = state.lifecycle.hasEarlyWaiter(acquisition.entry)
            // A value that nobody got is no loss.
            if case .lost = event, state.lifecycle.isLate(acquisition.entry) { isTold = true }
            holdLimit = record?.holdLimit
            record?.holdLimit = nil
            holds = record?.holds ?? []
            record?.holds = []
            record?.failure = error
            if isKnown, !isTold, let failure { state.releaseFailures.append(failure) }
        }
        if let holdLimit { Deadlines.shared.cancel(holdLimit) }
        if !holds.isEmpty { effects.insert(.endHolds(holds), at: 0) }
        guard isKnown else { return effects }
        if let failure, !isTold { effects.insert(.report(.releaseFailed(failure)), at: 0) }
        if configuration.isObserved { effects.insert(.observeReleased(acquisition.resource.name, error), at: 0) }
        return effects
    }

    /// Releases a resource now, and those that depend on it before it (rule 14).
    ///
    /// Does not react to cancellation.
    nonisolated(nonsending) func releaseEarly(_ info: ResourceInfo, _ verdict: RequestOutcome.Verdict) async throws {
        let (waiter, effects) = state.withLock { state -> (Waiter, [Effect]) in
            let (waiter, number) = state.addWaiter(info)
            guard state.lifecycle.phase != .closed else {
                state.waiters[number] = nil
                return (waiter, [.resume(waiter, .failure(error(.requestEnded, key: info.name)))])
            }
            // The child's resource is not this store's to release; it has to be released first.
            if let holder = state.holder(of: info.id) {
                let refusal = error(.inUse(by: holder.name), key: info.name)
                state.waiters[number] = nil
                return (waiter, [.resume(waiter, .failure(refusal))])
            }
            return (waiter, self.effects(of: .releaseEarly(resource: info.id, verdict, waiter: number), &state))
        }
        perform(effects)
        _ = try await waiter.wait().get()
    }
}

// MARK: - Phases

extension StoreCore {
    /// Marks the request as failed, as long as its response is not settled.
    ///
    /// A `CancellationError` in a cancelled task says that the request was cancelled; anywhere else it is an error.
    func fail(_ error: any Error) {
        fail(as: error is CancellationError && Task.isCancelled ? .cancelled : .failed(error))
    }

    /// Marks the request as failed for a cause that is known, as long as its response is not settled.
    func fail(as ending: RequestOutcome.Ending) {
        send(.fail) { state in
            guard state.lifecycle.phase == .open, state.ending == nil else { return }
            state.ending = ending
        }
    }

    /// Releases what has to be released before the response.
    ///
    /// Returns when that is done or has taken too long.
    nonisolated(nonsending) func settle(status: RequestStatus?) async -> RequestSettlement {
        let isSuccess = !(status?.isFailure ?? false)
        if let outcome = settleIfEmpty(success: isSuccess, status) {
            return RequestSettlement(outcome: outcome, failure: nil, replacement: nil)
        }
        await run(.settle(success: isSuccess), until: .settled, within: .beforeResponse) { state in
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
    /// Returns when that is done or has taken too long. Values are dropped when the last release has ended.
    @discardableResult
    nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending,
        status: RequestStatus?
    ) async -> RequestOutcome {
        if let outcome = closeIfEmpty(ending, status) { return outcome }
        await run(closing(ending, status), until: .closing, within: .afterResponse) { state in
            Self.note(ending, status, &state)
        }
        return outcome
    }

    /// Closes a child whose parent closes, with the parent's outcome, without waiting for it.
    func close(asChildOf outcome: RequestOutcome) {
        send(.close(success: outcome.verdict == .commit)) { state in Self.note(outcome.ending, nil, &state) }
    }

    private func closing(_ ending: RequestOutcome.Ending, _ status: RequestStatus?) -> Lifecycle.Event {
        switch ending {
        case .completed, .clientDisconnected: .close(success: !(status?.isFailure ?? false))
        case .failed, .cancelled, .abandoned: .close(success: false)
        }
    }

    static func note(_ ending: RequestOutcome.Ending, _ status: RequestStatus?, _ state: inout State) {
        guard state.lifecycle.phase <= .settled else { return }
        if let status { state.status = status }
        if case .completed = ending { return }
        if state.ending == nil { state.ending = ending }
    }

    /// Sends the opener's event and waits until the opener can go on, if it has to wait.
    private nonisolated(nonsending) func run(
        _ event: Lifecycle.Event,
        until phase: Lifecycle.Phase,
        within point: ReleasePoint,
        prepare: (inout sending State) -> Void
    ) async {
        let waiter = Waiter()
        var hasPassed = false
        let effects = effects(of: event) { state in
            prepare(&state)
            hasPassed = state.lifecycle.hasPassed(phase)
            guard !hasPassed else { return }
            state.phaseWaiters.append(PhaseWaiter(phase: phase, waiter: waiter))
        }
        perform(effects)
        // Whoever reaches the phase resumes the opener when all that follows is done, and not when the state says so.
        guard !hasPassed, waiter.take() == nil else { return }
        let budget = schedule(after: limits.limit(of: point)) { $0.send(.budgetSpent(point)) }
        _ = await waiter.wait()
        Deadlines.shared.cancel(budget)
    }

    /// Closes a store that its opener dropped.
    func abandon() {
        let held: [String]? = state.withLock { state in
            guard !state.lifecycle.closeRequested else { return nil }
            return state.acquisitions.all.map(\.value.acquisition.resource.name)
        }
        guard let held else { return }
        report(.abandoned(resources: held))
        Task.detached(name: "close abandoned request \(id)", priority: priority) {
            await self.close(.abandoned, status: nil)
        }
    }
}

extension RequestLimits {
    func limit(of point: ReleasePoint) -> Duration {
        switch point {
        case .beforeResponse: beforeResponse
        case .afterResponse: afterResponse
        }
    }
}
