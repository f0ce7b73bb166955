import Synchronization

/// What is to be done once the lock was given back.
enum Effect: Sendable {
    case resume(Waiter, Result<AnyBox?, any Error>)
    case cancel(Task<Void, Never>)
    case release(PendingRelease)
    case limit(Acquisition, Lifecycle.Stage)
    case limitHold(Acquisition)
    case limitChild(ChildCore)
    case endLimit(Deadlines.Token)
    indirect case handOver([PendingJob], ValueTable, RequestOutcome.Verdict)
    case withdraw(StoreCore, [PendingJob])
    indirect case report(StoreCore, RequestReport.Kind)
    case announce(StoreCore)
    /// What has to be let go outside the lock, because letting go may run a `deinit`.
    indirect case drop(SlotMemory.Leftovers, ScopeState?)
    /// The slot is free for another store.
    case giveBackSlot(Slot)
    case dropMemos(MemoTable)
    case dropMemo(MemoTable.Entry)
    case dropValue(AnyBox)
}

extension [Effect] {
    /// Puts effects before those that are left, of which the next one is the last.
    mutating func put(_ next: consuming [Effect]) {
        guard !next.isEmpty else { return }
        next.reverse()
        if isEmpty { self = next } else { append(contentsOf: next) }
    }
}

extension RequestCore {
    /// Gives an event to the lifecycle and performs what follows from it.
    ///
    /// - Parameter prepare: Changes the state first, in the same step.
    func send(_ event: Lifecycle.Event, prepare: (inout sending State) -> Void = { _ in }) {
        perform(effects(of: event, prepare: prepare))
    }

    /// Gives an event to the lifecycle of the request that has a number, and does nothing if the store is another one's by now.
    func send(_ event: Lifecycle.Event, of number: Int) {
        perform(
            state.withLock { state in
                guard identity == number else { return [] }
                return effects(&state) { state, actions in state.lifecycle.handle(event, &actions) }
            }
        )
    }

    /// Gives an event to the lifecycle.
    ///
    /// The caller performs the effects.
    func effects(of event: Lifecycle.Event, prepare: (inout sending State) -> Void = { _ in }) -> [Effect] {
        state.withLock { state in
            prepare(&state)
            return self.effects(&state) { state, actions in state.lifecycle.handle(event, &actions) }
        }
    }

    /// Performs effects in order.
    func perform(_ effects: consuming [Effect]) {
        guard !effects.isEmpty else { return }
        effects.reverse()
        performLast(&effects)
    }

    /// Performs effects, the last one first.
    func performLast(_ effects: inout [Effect]) {
        while let release = performUntilRelease(&effects) {
            effects = ReleaseRun(release, then: &effects, of: self).start()
        }
    }

    /// Performs effects, the last one first, until one is a release that runs in a task.
    ///
    /// Each is let go before the next, so that what is dropped is gone in time.
    func performUntilRelease(_ effects: inout [Effect]) -> PendingRelease? {
        while let effect = effects.popLast() {
            switch effect {
            case .resume(let waiter, let result): waiter.resume(result)
            case .cancel(let task): task.cancel()
            case .release(let release):
                let acquisition = release.acquisition
                guard let gate = acquisition.gate else { return release }
                gate.open(release.outcome) { acquisition.core.observeRelease(acquisition, release.outcome.verdict) }
                acquisition.core.limit(acquisition, .releasing)
            case .limit(let acquisition, let stage): acquisition.core.limit(acquisition, stage)
            case .limitHold(let acquisition): acquisition.core.limitHold(acquisition)
            case .limitChild(let child): child.limitClosing()
            case .endLimit(let token): Deadlines.shared.cancel(token)
            case .handOver(let jobs, let values, let verdict): handOver(jobs, values, verdict)
            case .withdraw(let core, let jobs): core.giveUp(jobs)
            case .report(let core, let kind): core.report(kind)
            case .announce(let core):
                // Its parent ends after it, in the observers' eyes too.
                if core.announce(), core !== self {
                    effects.append(contentsOf: self.effects(of: .told(core.scope)).reversed())
                }
            case .giveBackSlot(let slot): SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
            case .drop, .dropMemos, .dropMemo, .dropValue: break
            }
        }
        return nil
    }

    /// Lets the lifecycle take an event, under the lock, and looks up what it wants done.
    func effects(_ state: inout State, _ event: (inout State, inout [Lifecycle.Action]) -> Void) -> [Effect] {
        // One buffer serves all events of the request.
        var actions: [Lifecycle.Action] = []
        swap(&actions, &state.actions)
        event(&state, &actions)
        let effects = resolve(actions, &state)
        actions.removeAll(keepingCapacity: true)
        swap(&actions, &state.actions)
        return effects
    }

    /// Looks up, under the lock, what the lifecycle's numbers stand for.
    private func resolve(_ actions: [Lifecycle.Action], _ state: inout State) -> [Effect] {
        guard !actions.isEmpty else { return [] }
        var effects: [Effect] = []
        effects.reserveCapacity(actions.count)
        // The opener goes on when all else is done: values dropped, observers told.
        var openers: [Effect] = []
        for action in actions {
            switch action {
            case .acquired(let id):
                guard let acquisition = state.acquisitions[id] else { break }
                publish(acquisition, state)
                if acquisition.resource.limits.hold != nil { effects.append(.limitHold(acquisition)) }
            case .withdraw(let id):
                if let acquisition = state.acquisitions[id] { withdraw(acquisition) }
            case .keep(let id):
                guard let acquisition = state.acquisitions[id], let box = acquisition.box,
                    let memo = acquisition.resource.memo
                else { break }
                state.change(acquisition.core.scope) { $0.memos.keep(box, memo, entry: id) }
            case .resume(let id, let resumption):
                switch state.waiters.remove(id) {
                case .waiting(let waiter, let resource, let core):
                    effects.append(.resume(waiter, result(of: resumption, for: resource, core, state)))
                case .starting(let acquisition):
                    acquisition.answer = result(of: resumption, for: acquisition.resource, acquisition.core, state)
                case nil: break
                }
            case .cancelFlight(let id):
                guard let acquisition = state.acquisitions[id] else { break }
                if let task = acquisition.task {
                    effects.append(.cancel(task))
                    effects.append(.limit(acquisition, .cancelling))
                }
                acquisition.cancelRequested = true
            case .awaitUses(let id):
                guard let acquisition = state.acquisitions[id] else { break }
                effects.append(.limit(acquisition, .awaitingUses))
            case .release(let id, let verdict):
                guard let acquisition = state.acquisitions[id], let box = acquisition.box else { break }
                let outcome = state.outcome(of: acquisition.core.scope, verdict: verdict)
                effects.append(.release(PendingRelease(acquisition: acquisition, box: box, outcome: outcome)))
            case .cancelRelease(let id):
                guard let task = state.acquisitions[id]?.task else { break }
                effects.append(.cancel(task))
            case .overran(let id, let stage, let isTold):
                guard let acquisition = state.acquisitions[id] else { break }
                overran(acquisition, stage, isTold: isTold, &state, &effects)
            case .tell(let id, let failed):
                guard let failure = state.acquisitions[failed].flatMap({ $0.failure.map($0.failure) }) else { break }
                state.acquisitions[id]?.dependentFailures.append(failure)
            case .budgetOverran(let scope, let point): budgetOverran(scope, point, &state, &effects)
            case .forget(let id):
                guard let acquisition = state.acquisitions.remove(id) else { break }
                if let deadline = acquisition.deadline { effects.append(.endLimit(deadline)) }
                if let holdLimit = acquisition.holdLimit { effects.append(.endLimit(holdLimit)) }
                if let memo = acquisition.resource.memo {
                    let removed = state.change(acquisition.core.scope) { $0.memos.ended(memo, entry: id) }
                    if let removed { effects.append(.dropMemo(removed)) }
                }
                // Tasks that its code has started may refer to it for longer.
                if let box = acquisition.box.take() { effects.append(.dropValue(box)) }
            case .forgetMemo(let id):
                guard let acquisition = state.acquisitions.remove(id), let memo = acquisition.resource.memo else {
                    break
                }
                let removed = state.change(acquisition.core.scope) { $0.memos.remove(memo, entry: id) }
                if let removed { effects.append(.dropMemo(removed)) }
                if let box = acquisition.box.take() { effects.append(.dropValue(box)) }
            case .closeChild(let scope):
                guard let child = state.children[scope - 1] else { break }
                let ending = state.read(child.parentScope) { $0.ending }
                state.change(scope) { if $0.ending == nil { $0.ending = ending } }
                effects.append(.limitChild(child))
            case .proceed(let scope, let point): proceed(scope, point, &state, &effects, &openers)
            case .closed(let scope): closed(scope, &state, &effects, &openers)
            }
        }
        if !openers.isEmpty { effects.append(contentsOf: openers) }
        return effects
    }

    // MARK: Reading without asking the lifecycle

    /// Lets a resource be read from the slot, for as long as the lifecycle has it held.
    func publish(_ acquisition: Acquisition, _ state: borrowing State) {
        guard let box = acquisition.box, state.lifecycle.isReadable(acquisition.entry) else { return }
        let core = acquisition.core
        core.slot.memory.publish(box, acquisition.resource.tag, of: core.identity)
    }

    private func withdraw(_ acquisition: Acquisition) {
        acquisition.core.slot.memory.withdraw(acquisition.resource.tag, of: acquisition.core.identity)
    }

    // MARK: Answers

    private func result(
        of resumption: Lifecycle.Resumption,
        for resource: ResourceInfo,
        _ core: StoreCore,
        _ state: borrowing State
    ) -> Result<AnyBox?, any Error> {
        let reason: RequestStoreError.Reason
        switch resumption {
        case .value(let id): return .success(state.acquisitions[id]?.box)
        case .failure(let id): return .failure(state.acquisitions[id]?.failure ?? CancellationError())
        case .cancelled: return .failure(CancellationError())
        case .released(let id): return released(id, core, state)
        case .timedOut: reason = .acquireTimedOut(resource.limits.acquire)
        case .pointBegan: reason = .releasePointBegan(resource.point)
        case .lost: reason = .resourceLost(nil)
        case .deadlock(let path): reason = .deadlock(path.map(state.name))
        case .releaseTimedOut: reason = .releaseTimedOut(resource.limits.release)
        }
        return .failure(core.error(reason, key: resource.name))
    }

    /// What an early release threw: one error as it is, several together.
    private func released(
        _ id: Int,
        _ core: StoreCore,
        _ state: borrowing State
    ) -> Result<AnyBox?, any Error> {
        guard let acquisition = state.acquisitions[id] else { return .success(nil) }
        let failures = acquisition.dependentFailures + (acquisition.failure.map { [acquisition.failure($0)] } ?? [])
        guard failures.count > 1 else { return failures.first.map { .failure($0.error) } ?? .success(nil) }
        var outcome = state.outcome(of: acquisition.core.scope)
        outcome = RequestOutcome(
            verdict: outcome.verdict,
            status: outcome.status,
            ending: outcome.ending,
            releaseFailures: failures
        )
        return .failure(RequestReleaseError(request: core.id, outcome: outcome))
    }

    // MARK: What takes too long

    private func overran(
        _ acquisition: Acquisition,
        _ stage: Lifecycle.Stage,
        isTold: Bool,
        _ state: inout State,
        _ effects: inout [Effect]
    ) {
        let resource = acquisition.resource
        let reason: RequestStoreError.Reason
        switch stage {
        case .acquiring, .cancelling:
            let kind = RequestReport.Kind.flightOverran(resource: resource.name, acquiredAt: acquisition.acquiredAt)
            return effects.append(.report(acquisition.core, kind))
        case .awaitingUses: reason = .useOverran(resource.limits.release)
        case .releasing: reason = .releaseTimedOut(resource.limits.release)
        }
        let failure = acquisition.failure(acquisition.core.error(reason, key: resource.name))
        if !isTold { state.change(acquisition.core.scope) { $0.rest.releaseFailures.append(failure) } }
        effects.append(.report(acquisition.core, .releaseFailed(failure)))
    }

    private func budgetOverran(
        _ scope: Int,
        _ point: ReleasePoint,
        _ state: inout State,
        _ effects: inout [Effect]
    ) {
        let core = state.core(of: scope) ?? self
        let limit = core.limit(of: point, state)
        let left = state.lifecycle.entriesInTime(of: point, scope: scope).compactMap { state.acquisitions[$0] }
        effects.append(.report(core, .pointOverran(point, limit, resources: left.map(\.resource.name))))
        for acquisition in left {
            let error = core.error(.pointTimedOut(point, limit), key: acquisition.resource.name)
            state.change(scope) { $0.rest.releaseFailures.append(acquisition.failure(error)) }
        }
    }

    // MARK: Phases

    private func proceed(
        _ scope: Int,
        _ point: ReleasePoint,
        _ state: inout State,
        _ effects: inout [Effect],
        _ openers: inout [Effect]
    ) {
        guard point == .beforeResponse else {
            if let budget = state.children[scope - 1]?.budget.take() { effects.append(.endLimit(budget)) }
            return resumePhaseWaiters(scope, .closing, &state, &openers)
        }
        let response = state.lifecycle.response(of: scope)
        if response != .asIntended {
            state.change(scope) { $0.status = $0.status?.replaced(by: response) }
            let core = state.core(of: scope) ?? self
            let error = RequestReleaseError(request: core.id, outcome: state.outcome(of: scope))
            state.change(scope) { if $0.ending == nil { $0.ending = .failed(error) } }
        }
        if state.read(scope, { !$0.memos.isEmpty }) {
            effects.append(.dropMemos(state.change(scope) { $0.memos.removeAll(until: .beforeResponse) }))
        }
        announce(.settled(state.outcome(of: scope).verdict), in: state.core(of: scope) ?? self, &effects)
        resumePhaseWaiters(scope, .settled, &state, &openers)
    }

    /// Has observers told of a phase, unless somebody tells them of another one and goes on with this.
    private func announce(_ fact: @autoclosure () -> RequestEvent.Fact, in core: StoreCore, _ effects: inout [Effect]) {
        guard let announcements = core.announcements else { return }
        if announcements.add(fact()) { effects.append(.announce(core)) }
    }

    private func closed(_ scope: Int, _ state: inout State, _ effects: inout [Effect], _ openers: inout [Effect]) {
        let core = state.core(of: scope) ?? self
        let outcome = state.outcome(of: scope)
        let jobs = state.read(scope) { $0.jobs }
        var left = SlotMemory.Leftovers()
        let hadSlot = core.slot.memory.close(core.identity, carries: !jobs.isEmpty, &left)
        resumePhaseWaiters(scope, .closed, &state, &openers)
        var rest = ScopeState()
        state.change(scope) { swap(&rest, &$0) }
        if let child = core as? ChildCore {
            child.ended = outcome
            state.children[scope - 1] = nil
        } else {
            // What became of it can be asked for ever.
            state.own.status = rest.status
            state.own.ending = rest.ending
            if !rest.releaseFailures.isEmpty { state.own.rest.releaseFailures = rest.releaseFailures }
            state.own.openerHasLeft = rest.openerHasLeft
            state.own.openerTakesSlot = rest.openerTakesSlot
            if let word = rest.takeWord() { state.own.rest.wordForOpener = word }
        }
        announce(.other(.closed(outcome)), in: core, &effects)
        if left.values != nil || rest.refersToAnything { effects.append(.drop(left, rest)) }
        if hadSlot, !rest.openerTakesSlot { effects.append(.giveBackSlot(core.slot)) }
        guard !jobs.isEmpty else { return }
        let values = left.values ?? ValueTable()
        guard let child = core as? ChildCore else {
            return effects.append(.handOver(jobs, values, outcome.verdict))
        }
        let isRun: (PendingJob) -> Bool = { $0.isRun(after: outcome.verdict) }
        let inherited = child.left(jobs.filter(isRun), values)
        state.change(child.parentScope) { $0.rest.jobs += inherited }
        effects.append(.withdraw(child, jobs.filter { !isRun($0) }))
    }

    private func resumePhaseWaiters(
        _ scope: Int,
        _ phase: Lifecycle.Phase,
        _ state: inout State,
        _ effects: inout [Effect]
    ) {
        for waiter in state.change(scope, { $0.takeWaiters(for: phase) }) {
            effects.append(.resume(waiter, .success(nil)))
        }
    }
}
