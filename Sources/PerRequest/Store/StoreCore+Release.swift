import Synchronization

extension StoreCore {
    /// Notes that a release ended.
    ///
    /// The caller performs the effects.
    func released(_ acquisition: Acquisition, _ error: (any Error)?) -> [Effect] {
        ended(acquisition, .released(acquisition.entry, failed: error != nil), error)
    }

    /// Notes that an `around` function ended while its value was in use.
    func lost(_ acquisition: Acquisition, _ cause: (any Error)?) {
        let error = (cause as? RequestStoreError) ?? error(.resourceLost(cause), key: acquisition.resource.name)
        request.perform(ended(acquisition, .lost(acquisition.entry), error))
    }

    private func ended(_ acquisition: Acquisition, _ event: Lifecycle.Event, _ error: (any Error)?) -> [Effect] {
        let entry = acquisition.entry
        if acquisition.observed != nil, request.state.withLock({ $0.isKnown(acquisition) }) {
            observeReleased(acquisition, error)
        }
        if error == nil, acquisition.gate != nil, case .released = event, let next = request.releasedAlone(acquisition)
        {
            return if case .release(let next) = next { [.release(next)] } else { [] }
        }
        var failure: ReleaseFailure?
        var holdLimit: Deadlines.Token?
        var effects = request.effects(of: event) { state in
            holdLimit = acquisition.holdLimit
            acquisition.holdLimit = nil
            acquisition.failure = error
            guard let error, state.isKnown(acquisition) else { return }
            // Whoever released it early gets its error; then it is no failure of the request, unless it turns its verdict.
            if state.lifecycle.isReleasedForSomebody(entry), !state.lifecycle.turnsVerdict(entry) { return }
            // A value that nobody got is no loss.
            if case .lost = event, state.lifecycle.isLate(entry) { return }
            let new = acquisition.failure(error)
            failure = new
            // One that overran its limit is among the failures already.
            guard state.lifecycle.state(of: entry) != .overdueRelease else { return }
            state.change(acquisition.core.scope) { $0.rest.releaseFailures.append(new) }
        }
        if let holdLimit { Deadlines.shared.cancel(holdLimit) }
        if let failure { effects.insert(.report(self, .releaseFailed(failure)), at: 0) }
        return effects
    }

    /// Releases a resource now, and those that depend on it before it (rule 14).
    ///
    /// Does not react to cancellation.
    nonisolated(nonsending) func releaseEarly(_ info: ResourceInfo, _ verdict: RequestOutcome.Verdict) async throws {
        let waiter = Waiter()
        let surroundings = Ambient.surroundings
        let request = request
        let owner = owner(of: info.key)
        var wanted = EarlyRelease(scope: owner, resource: info.id, verdict: verdict)
        let (effects, refusal) = request.state.withLock { state -> ([Effect], (any Error)?) in
            guard state.lifecycle.phase(of: scope) != .closed else {
                return ([], error(.requestEnded, key: info.name))
            }
            wanted.inside = surroundings?.innermost(of: request.identity, in: state.lifecycle)
            let core = state.core(of: owner) ?? request
            var admission = Lifecycle.EarlyAdmission.nothingHeld
            let effects = request.effects(&state) { state, actions in
                admission = state.lifecycle.releaseEarly(wanted, &actions)
                // The waiter is there before what follows is looked up.
                guard case .wait(let call) = admission else { return }
                state.waiters[call] = .waiting(waiter, info, core)
            }
            switch admission {
            case .wait: return (effects, nil)
            case .nothingHeld:
                waiter.resume(.success(nil))
                return (effects, nil)
            case .timedOut: return (effects, core.error(.releaseTimedOut(info.limits.release), key: info.name))
            case .refuse(let refusal): return (effects, core.error(of: refusal, for: info, state))
            }
        }
        request.perform(effects)
        if let refusal { throw refusal }
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
        request.send(.fail(scope)) { state in
            guard state.lifecycle.phase(of: scope) == .open else { return }
            state.change(scope) { if $0.ending == nil { $0.ending = ending } }
        }
    }

    /// Releases what has to be released before the response.
    ///
    /// Returns when that is done or has taken too long.
    nonisolated(nonsending) func settle(status: RequestStatus?) async -> StoreSettlement {
        if configuration.isOverridden { await forceOutcome() }
        let isSuccess = !(status?.isFailure ?? false)
        if let outcome = settledAtOnce(status) {
            return StoreSettlement(outcome: outcome, failure: nil)
        }
        let event = Lifecycle.Event.settle(scope, success: isSuccess)
        await run(event, until: .settled, within: .beforeResponse) { state in
            guard state.lifecycle.phase(of: scope) == .open else { return }
            state.change(scope) { $0.status = status }
        }
        return request.state.withLock { state in
            let outcome = (self as? ChildCore)?.ended ?? state.outcome(of: scope)
            guard state.lifecycle.response(of: scope) != .asIntended else {
                return StoreSettlement(outcome: outcome, failure: nil)
            }
            return StoreSettlement(outcome: outcome, failure: RequestReleaseError(request: id, outcome: outcome))
        }
    }

    /// Releases all that is held, after settling if need be.
    ///
    /// Returns when that is done or has taken too long. Values are dropped when the last release has ended.
    @discardableResult
    nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending,
        status: RequestStatus?,
        leaving rest: ReleasesUnderWay? = nil
    ) async -> RequestOutcome {
        if configuration.isOverridden, ending.allowsCommit { await forceOutcome() }
        if let outcome = closedAtOnce(ending, status) { return outcome }
        let isSuccess = ending.allowsCommit && !(status?.isFailure ?? false)
        let event = Lifecycle.Event.close(scope, success: isSuccess, completed: ending.isCompleted)
        await run(event, until: .closing, within: .afterResponse, leaving: rest) { state in
            guard state.lifecycle.phase(of: scope) <= .settled else { return }
            state.change(scope) { $0.note(ending, status) }
        }
        return outcome
    }

    /// Sends the opener's event and waits until the opener can go on, if it has to wait.
    private nonisolated(nonsending) func run(
        _ event: Lifecycle.Event,
        until phase: Lifecycle.Phase,
        within point: ReleasePoint,
        leaving rest: ReleasesUnderWay? = nil,
        prepare: (inout sending RequestCore.State) -> Void
    ) async {
        let surroundings = Ambient.surroundings
        let request = request
        var opener: Opener?
        var begun: RequestEvent.Fact?
        var tellsPhase = false
        if phase == .closing { log?.beginClosing() }
        let effects: [Effect] = request.state.withLock { state in
            if phase == .closing, scope == Lifecycle.rootScope {
                // Whoever reached the end of what was begun in one step has left word.
                state.own.openerIsComing = false
                if let word = state.own.takeWord() {
                    opener = Opener(waiter: word, limit: limit(of: point, state))
                    return []
                }
            }
            prepare(&state)
            if let announcements, state.lifecycle.isBegun(by: event) {
                let phase = RequestEvent.Fact.entered(phase == .closing ? .closing : .settling)
                begun = phase
                tellsPhase = announcements.add(phase)
            }
            let hasPassed = state.lifecycle.hasPassed(phase, scope: scope)
            return request.effects(&state) { state, actions in
                state.lifecycle.handle(event, &actions)
                guard !hasPassed, !state.lifecycle.hasPassed(phase, scope: scope) else { return }
                opener = self.opener(until: phase, within: point, inside: surroundings, &state, &actions)
            }
        }
        if let begun, phase != .closing { log?.note(begun) }
        if tellsPhase { tellPhases() }
        request.perform(effects)
        if let opener { await wait(as: opener, until: phase, within: point, leaving: rest) }
    }

    private struct Opener {
        let waiter: Waiter
        let limit: Duration
    }

    private func opener(
        until phase: Lifecycle.Phase,
        within point: ReleasePoint,
        inside surroundings: Surroundings?,
        _ state: inout RequestCore.State,
        _ actions: inout [Lifecycle.Action]
    ) -> Opener {
        let opener = Opener(waiter: Waiter(), limit: limit(of: point, state))
        state.change(scope) { $0.rest.phaseWaiters.append(PhaseWaiter(phase: phase, waiter: opener.waiter)) }
        // The wait for it is an edge of the graph, if the opener is inside of something.
        if let inside = surroundings?.innermost(of: request.identity, in: state.lifecycle) {
            state.lifecycle.waitForPhase(scope, inside: inside, &actions)
        }
        state.change(scope) { $0.rest.pointEnds = .now.advanced(by: opener.limit) }
        return opener
    }

    private nonisolated(nonsending) func wait(
        as opener: Opener,
        until phase: Lifecycle.Phase,
        within point: ReleasePoint,
        leaving rest: ReleasesUnderWay?
    ) async {
        let (waiter, limit) = (opener.waiter, opener.limit)
        // Whoever reaches the phase resumes the opener when all that follows is done, and not when the state says so.
        guard waiter.take() == nil else { return }
        // A limit that passes while it is cancelled may find the store open again, as another request's.
        let number = request.identity
        let spend: @Sendable (StoreCore) -> Void = { $0.request.send(.budgetSpent($0.scope, point), of: number) }
        guard let rest, limits.nextRequest < limit else {
            let budget = schedule(after: limit, spend)
            _ = await waiter.wait()
            return Deadlines.shared.cancel(budget)
        }
        let patience = Deadlines.shared.schedule(after: limits.nextRequest) { waiter.resume(.success(nil)) }
        _ = await waiter.wait()
        Deadlines.shared.cancel(patience)
        guard let end = end(of: phase) else { return }
        rest.began()
        let budget = schedule(after: limit - limits.nextRequest, spend)
        Task.detached(name: "releases of request \(id)", priority: priority) {
            _ = await end.wait()
            Deadlines.shared.cancel(budget)
            rest.ended()
        }
    }

    /// What is resumed at the end of a phase; `nil` if it has ended.
    private func end(of phase: Lifecycle.Phase) -> Waiter? {
        let waiter = Waiter()
        return request.state.withLock { state in
            guard !state.lifecycle.hasPassed(phase, scope: scope) else { return nil }
            state.change(scope) { $0.rest.phaseWaiters.append(PhaseWaiter(phase: phase, waiter: waiter)) }
            return waiter
        }
    }

    /// How long a point may take: for a child, a third of what its parent's has left.
    func limit(of point: ReleasePoint, _ state: borrowing RequestCore.State) -> Duration {
        var thirds = 0
        var next: StoreCore = self
        while let child = next as? ChildCore {
            thirds += 1
            if let ends = state.read(child.parentScope, { $0.pointEnds }) {
                return max(.zero, Moment.now.duration(to: ends)).third(thirds)
            }
            next = state.core(of: child.parentScope) ?? request
        }
        return next.limits.limit(of: point).third(thirds)
    }

    /// Closes a store that its opener dropped.
    func abandon() {
        let scope = scope
        let held: [String]? = request.state.withLock { state in
            guard !state.lifecycle.closeRequested(scope) else { return nil }
            return state.acquisitions.all.filter { $0.core === self && $0.resource.form != .memo }.map(\.resource.name)
        }
        guard let held else { return }
        report(.abandoned(resources: held))
        Task.detached(name: "close abandoned request \(id)", priority: priority) {
            await self.close(.abandoned, status: nil)
        }
    }
}

extension ChildCore {
    /// Limits the time that closing this child may take, which its parent has begun to do.
    func limitClosing() {
        let limit: Duration? = request.state.withLock { state in
            guard !state.lifecycle.hasPassed(.closing, scope: scope) else { return nil }
            let limit = self.limit(of: .afterResponse, state)
            state.change(scope) { $0.rest.pointEnds = .now.advanced(by: limit) }
            return limit
        }
        guard let limit else { return }
        let token = schedule(after: limit) { $0.request.send(.budgetSpent($0.scope, .afterResponse)) }
        let previous: Deadlines.Token? = request.state.withLock { state in
            guard !state.lifecycle.hasPassed(.closing, scope: scope) else { return token }
            defer { budget = token }
            return budget
        }
        if let previous { Deadlines.shared.cancel(previous) }
    }
}

extension ScopeState {
    /// Notes how the response ended; the first cause wins.
    mutating func note(_ ending: RequestOutcome.Ending, _ status: RequestStatus?) {
        if let status { self.status = status }
        if case .completed = ending { return }
        if self.ending == nil { self.ending = ending }
    }
}

extension RequestOutcome.Ending {
    /// Whether a request that ends like this before its response was settled can commit.
    fileprivate var allowsCommit: Bool {
        switch self {
        case .completed, .clientDisconnected: true
        case .failed, .cancelled, .abandoned: false
        }
    }

    var isCompleted: Bool {
        if case .completed = self { true } else { false }
    }
}

extension Duration {
    /// The third of the third, and so on.
    fileprivate func third(_ times: Int) -> Duration {
        var result = self
        for _ in 0..<times where result > .nanoseconds(1) { result /= 3 }
        return result
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
