import Synchronization

/// What is to be done once the lock was given back.
enum Effect: Sendable {
    case resume(Waiter, Result<AnyBox?, any Error>)
    case cancel(Task<Void, Never>)
    case release(Acquisition, AnyBox, RequestOutcome)
    case limit(Acquisition, Lifecycle.Stage)
    case limitHold(Acquisition)
    case endHolds([Hold])
    indirect case closeChild(StoreCore, RequestOutcome)
    indirect case handOver([PendingJob], ValueTable, RequestOutcome.Verdict)
    case detach
    indirect case report(RequestReport.Kind)
    case observeReleased(String, (any Error)?)
    case observeClosed(RequestOutcome)
    /// What has to be let go outside the lock, because letting go may run a `deinit`.
    indirect case drop(SlotMemory.Leftovers, MemoTable)
    /// The slot is free for another store.
    case giveBackSlot
    case dropMemos([MemoTable.Entry])
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
            return self.effects(of: event, &state)
        }
    }

    /// Performs effects in order.
    ///
    /// Each is let go before the next, so that what is dropped is gone in time.
    func perform(_ effects: consuming [Effect]) {
        guard !effects.isEmpty else { return }
        effects.reverse()
        while let effect = effects.popLast() {
            switch effect {
            case .resume(let waiter, let result): waiter.resume(result)
            case .cancel(let task): task.cancel()
            case .release(let acquisition, let box, let outcome):
                let next = release(acquisition, box, outcome)
                if !next.isEmpty { effects.append(contentsOf: next.reversed()) }
            case .limit(let acquisition, let stage): limit(acquisition, stage)
            case .limitHold(let acquisition): limitHold(acquisition)
            case .endHolds(let holds): for hold in holds.reversed() { hold.core.end(hold) }
            case .closeChild(let child, let outcome): child.close(asChildOf: outcome)
            case .handOver(let jobs, let values, let verdict): handOver(jobs, values, verdict)
            case .detach: parent?.send(.childClosed(identity)) { [identity] in $0.children[identity] = nil }
            case .report(let kind): report(kind)
            case .observeReleased(let name, let error):
                observer?.released(name, in: RequestStore(core: self), error: error)
            case .observeClosed(let outcome): observer?.closed(RequestStore(core: self), outcome: outcome)
            case .giveBackSlot: SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
            case .drop, .dropMemos, .dropRecord: break
            }
        }
    }

    /// Gives an event to the lifecycle, under the lock.
    func effects(of event: Lifecycle.Event, _ state: inout State) -> [Effect] {
        // One buffer serves all events of the store.
        var actions: [Lifecycle.Action] = []
        swap(&actions, &state.actions)
        state.lifecycle.handle(event, &actions)
        withdrawWhatCannotBeRead(state)
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
        // What a resource was built on is free before anybody is told that it has ended.
        var ended: [Effect] = []
        for action in actions {
            switch action {
            case .acquired(let id):
                guard let record = state.acquisitions[id] else { break }
                publish(record, state)
                if record.acquisition.resource.limits.hold != nil { effects.append(.limitHold(record.acquisition)) }
            case .resume(let id, let resumption):
                guard let pending = state.waiters.remove(id) else { break }
                effects.append(.resume(pending.waiter, result(of: resumption, for: pending.resource, state)))
            case .cancelFlight(let id):
                guard let record = state.acquisitions[id] else { break }
                if let task = record.task {
                    effects.append(.cancel(task))
                    effects.append(.limit(record.acquisition, .cancelling))
                }
                record.cancelRequested = true
            case .awaitUses(let id):
                guard let acquisition = state.acquisitions[id]?.acquisition else { break }
                effects.append(.limit(acquisition, .awaitingUses))
            case .release(let id, let reason):
                guard let record = state.acquisitions[id], let box = record.box else { break }
                effects.append(.release(record.acquisition, box, state.outcome(for: reason)))
            case .cancelRelease(let id):
                guard let task = state.acquisitions[id]?.task else { break }
                effects.append(.cancel(task))
            case .overran(let id, let stage):
                guard let acquisition = state.acquisitions[id]?.acquisition else { break }
                overran(acquisition, stage, &state, &effects)
            case .budgetOverran(let point):
                effects.append(.report(.pointOverran(point, limits.limit(of: point))))
                let reason = RequestStoreError.Reason.pointTimedOut(point, limits.limit(of: point))
                for id in state.lifecycle.entriesInTime(of: point) {
                    guard let acquisition = state.acquisitions[id]?.acquisition else { continue }
                    state.releaseFailures.append(acquisition.failure(error(reason, key: acquisition.resource.name)))
                }
            case .closeChild(let id):
                guard let child = state.children[id] else { break }
                effects.append(.closeChild(child, state.outcome()))
            case .forget(let id):
                guard let record = state.acquisitions.remove(id) else { break }
                if let deadline = record.deadline { Deadlines.shared.cancel(deadline) }
                if let holdLimit = record.holdLimit { Deadlines.shared.cancel(holdLimit) }
                if !record.holds.isEmpty { ended.append(.endHolds(record.holds)) }
                effects.append(.dropRecord(record))
            case .proceed(let point):
                proceed(point, &state, &effects, &openers)
            case .closed:
                let jobs = state.jobs
                var left = SlotMemory.Leftovers()
                let hadSlot = slot.memory.close(identity, carries: !jobs.isEmpty, &left)
                effects.append(.drop(left, state.memos))
                if hadSlot { effects.append(.giveBackSlot) }
                state.memos = MemoTable()
                state.jobs = []
                if configuration.isObserved { effects.append(.observeClosed(state.outcome())) }
                if !jobs.isEmpty {
                    effects.append(.handOver(jobs, left.values ?? ValueTable(), state.outcome().verdict))
                }
                if parent != nil { effects.append(.detach) }
                resumePhaseWaiters(.closed, &state, &openers)
            }
        }
        if !ended.isEmpty { effects.insert(contentsOf: ended, at: 0) }
        if !openers.isEmpty { effects.append(contentsOf: openers) }
        return effects
    }

    // MARK: Reading without asking the lifecycle

    /// Lets a resource be read from the slot, for as long as the lifecycle has it held.
    func publish(_ record: AcquisitionRecord, _ state: borrowing State) {
        guard let box = record.box, state.lifecycle.isReadable(record.acquisition.entry) else { return }
        record.isPublished = slot.memory.publish(box, record.acquisition.resource.tag, of: identity)
    }

    /// Called with every event: what it released, lost or made late is not read from then on.
    private func withdrawWhatCannotBeRead(_ state: borrowing State) {
        for entry in state.lifecycle.entries where !entry.isReadable {
            guard let record = state.acquisitions[entry.id], record.isPublished else { continue }
            record.isPublished = false
            slot.memory.withdraw(record.acquisition.resource.tag, of: identity)
        }
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
        case .timedOut: .failure(error(.acquireTimedOut(resource.limits.acquire), key: resource.name))
        case .pointBegan: .failure(error(.releasePointBegan(resource.point), key: resource.name))
        case .released(let id): state.acquisitions[id]?.failure.map { .failure($0) } ?? .success(nil)
        case .releaseTimedOut: .failure(error(.releaseTimedOut(resource.limits.release), key: resource.name))
        case .nothingHeld: .success(nil)
        case .inUse(let id): .failure(error(.inUse(by: state.name(of: id)), key: resource.name))
        }
    }

    private func overran(
        _ acquisition: Acquisition,
        _ stage: Lifecycle.Stage,
        _ state: inout State,
        _ effects: inout [Effect]
    ) {
        let resource = acquisition.resource
        let reason: RequestStoreError.Reason
        switch stage {
        case .acquiring, .cancelling:
            let kind = RequestReport.Kind.flightOverran(resource: resource.name, acquiredAt: acquisition.acquiredAt)
            return effects.append(.report(kind))
        case .awaitingUses: reason = .useOverran(resource.limits.release)
        case .releasing: reason = .releaseTimedOut(resource.limits.release)
        }
        let failure = acquisition.failure(error(reason, key: resource.name))
        state.releaseFailures.append(failure)
        effects.append(.report(.releaseFailed(failure)))
    }

    private func proceed(
        _ point: ReleasePoint,
        _ state: inout State,
        _ effects: inout [Effect],
        _ openers: inout [Effect]
    ) {
        guard point == .beforeResponse else { return resumePhaseWaiters(.closing, &state, &openers) }
        if state.lifecycle.response != .asIntended {
            state.status = state.status?.replaced(by: state.lifecycle.response)
            if state.ending == nil {
                state.ending = .failed(RequestReleaseError(request: id, outcome: state.outcome()))
            }
        }
        let memos = state.memos.removeAll(until: .beforeResponse)
        if !memos.isEmpty { effects.append(.dropMemos(memos)) }
        resumePhaseWaiters(.settled, &state, &openers)
    }

    private func resumePhaseWaiters(_ phase: Lifecycle.Phase, _ state: inout State, _ effects: inout [Effect]) {
        for waiting in state.phaseWaiters where waiting.phase <= phase {
            effects.append(.resume(waiting.waiter, .success(nil)))
        }
        state.phaseWaiters.removeAll { $0.phase <= phase }
    }
}

extension StoreCore.State {
    fileprivate func outcome(for reason: Lifecycle.ReleaseReason) -> RequestOutcome {
        switch reason {
        case .point: outcome()
        case .late: outcome(verdict: .rollback)
        case .early(let verdict): outcome(verdict: verdict)
        }
    }
}
