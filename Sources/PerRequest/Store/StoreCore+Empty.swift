import Synchronization

/// Stores that hold nothing: most requests, most of the time.
extension StoreCore {
    /// The request, if its ends can be taken in one step: no test forces them.
    private var unforcedRequest: RequestCore? { configuration.isOverridden ? nil : self as? RequestCore }

    /// Settles in one step, if nothing is to be released before the response.
    ///
    /// - Returns: What becomes of the request; `nil` if there is more to it, and then nothing has changed.
    func settledAtOnce(_ status: RequestStatus?) -> RequestOutcome? {
        guard let request = unforcedRequest else { return nil }
        var isMine = false
        let outcome: RequestOutcome? = request.state.withLock { state in
            guard state.canEndAtOnce, state.lifecycle.settleAtOnce(success: !(status?.isFailure ?? false)) else {
                return nil
            }
            state.own.status = status
            let outcome = state.outcome(of: Lifecycle.rootScope)
            if let announcements { isMine = announcements.admit(.entered(.settling), .settled(outcome.verdict)) }
            return outcome
        }
        if isMine, let outcome { tellSettled(outcome) }
        return outcome
    }

    /// Closes without waiting, if that can be done.
    ///
    /// - Parameter runsReleases: Whether it may run releases here, which may take their time before they first suspend.
    /// - Returns: What became of the request; `nil` if there is more to it: if it began to close, the opener can wait for the
    ///   rest.
    func closedAtOnce(
        _ ending: RequestOutcome.Ending,
        _ status: RequestStatus?,
        runsReleases: Bool = true
    ) -> RequestOutcome? {
        guard let request = unforcedRequest else { return nil }
        log?.beginClosing()
        var left = SlotMemory.Leftovers()
        var isFree = false
        var outcome: RequestOutcome?
        var jobs: [PendingJob] = []
        var isMine = false
        let begun: RequestCore.Next? = request.state.withLock { state in
            guard state.canEndAtOnce else { return nil }
            if state.lifecycle.closeIfEmpty(completed: ending.isCompleted) {
                state.own.note(ending, status)
                jobs = state.own.takeJobs()
                _ = slot.memory.close(identity, carries: !jobs.isEmpty, &left)
                isFree = !state.own.openerTakesSlot
                let end = state.outcome(of: Lifecycle.rootScope)
                outcome = end
                if let announcements { isMine = announcements.admitLast(.entered(.closing), .other(.closed(end))) }
                return .closed
            }
            guard runsReleases, let next = state.lifecycle.closeAlone(completed: ending.isCompleted) else { return nil }
            state.own.note(ending, status)
            state.own.openerIsComing = true
            // If it closes at once, nothing goes wrong that would change it.
            outcome = state.outcome(of: Lifecycle.rootScope)
            if let announcements { isMine = announcements.admit(.entered(.closing)) }
            return state.next(after: next)
        }
        if isMine, let outcome { tellClosing(begun, outcome) }
        switch begun {
        case .closed:
            if isFree { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
            if !jobs.isEmpty, let outcome { handOver(jobs, left.values ?? ValueTable(), outcome.verdict) }
            return outcome
        case .release(let first) where first.acquisition.gate == nil:
            return ReleaseRun(closing: first, of: request).close() ? outcome : nil
        case .release(let first):
            // An `around` function goes on, in its own task.
            request.perform([.release(first)])
            return nil
        case nil: return nil
        }
    }
}

// MARK: - Telling observers

extension StoreCore {
    @inline(never)
    private func tellSettled(_ outcome: RequestOutcome) {
        tellListeners(.entered(.settling))
        tell(.settled(outcome.verdict))
        if configuration.hasListeners { tellPhases() }
    }

    @inline(never)
    private func tellClosing(_ next: RequestCore.Next?, _ outcome: RequestOutcome) {
        tellListeners(.entered(.closing))
        switch next {
        case .closed: tellClosed(outcome)
        case .release: if configuration.hasListeners { tellPhases() }
        case nil: break
        }
    }
}

extension RequestCore {
    /// What follows from the end of a release.
    enum Next: Sendable {
        case release(PendingRelease)
        case closed
    }

    /// Notes in one step that a release ended, if nothing is there but resources that nobody uses, which the opener is closing.
    ///
    /// It resumes the opener if it was the last, and that of an `around` function: the opener does not wait for others here.
    ///
    /// - Returns: What follows; `nil` if there is more to it, and then nothing has changed.
    func releasedAlone(_ acquisition: Acquisition) -> Next? {
        var left = SlotMemory.Leftovers()
        var isFree = false
        var box: AnyBox?
        var jobs: [PendingJob] = []
        var verdict = RequestOutcome.Verdict.commit
        var deadline: Deadlines.Token?
        var openers: [Waiter] = []
        var end: RequestOutcome?
        let isAround = acquisition.gate != nil
        let next: Next? = state.withLock { state in
            guard state.own.openerIsComing || isAround && state.own.hasPhaseWaiters,
                acquisition.deadline == nil || isAround, acquisition.holdLimit == nil,
                let next = state.lifecycle.releasedAlone(acquisition.entry)
            else { return nil }
            _ = state.acquisitions.remove(acquisition.entry)
            box = acquisition.box.take()
            deadline = acquisition.deadline.take()
            if case .closed = next {
                if isAround { openers = state.own.takeWaiters(for: .closed) }
                state.own.openerIsComing = false
                jobs = state.own.takeJobs()
                isFree = slot.memory.close(identity, carries: !jobs.isEmpty, &left) && !state.own.openerTakesSlot
                if !jobs.isEmpty { verdict = state.outcome(of: Lifecycle.rootScope).verdict }
                if let announcements {
                    let outcome = state.outcome(of: Lifecycle.rootScope)
                    if announcements.admitLast(nil, .other(.closed(outcome))) { end = outcome }
                }
            }
            return state.next(after: next)
        }
        if let end { tellClosed(end) }
        if isFree { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
        if !jobs.isEmpty { handOver(jobs, left.values ?? ValueTable(), verdict) }
        if isAround {
            if let deadline { Deadlines.shared.cancel(deadline) }
            box = nil
            left = SlotMemory.Leftovers()
            for opener in openers { opener.resume(.success(nil)) }
        }
        withExtendedLifetime(box) {}
        return next
    }

    /// Settles and closes in one step, if nothing of the store was ever used but its values.
    ///
    /// - Returns: Whether it did. The slot is the caller's to give back.
    func endIfUnused() -> Bool {
        var left = SlotMemory.Leftovers()
        return state.withLock { state in
            guard state.isUnused, state.lifecycle.settleAtOnce(success: true), state.lifecycle.closeIfEmpty() else {
                return false
            }
            return slot.memory.close(identity, carries: false, &left)
        }
    }

    /// Makes a store that has ended as it is after a request that used nothing.
    ///
    /// - Returns: Whether it did; what took much memory is not kept.
    func forgetAll() -> Bool {
        guard !configuration.isOverridden else { return false }
        return state.withLock { state in
            // What it refers to was let go when it closed, but for how the request ended.
            guard state.acquisitions.capacity <= 16, !state.own.refersToAnything, state.lifecycle.forgetAll() else {
                return false
            }
            state.own.status = nil
            state.own.openerHasLeft = false
            state.own.forgetPoint()
            state.own.memos.forgetPlaces()
            return true
        }
    }

    /// Opens again a store that ended unused, or has forgotten all, that nobody refers to, and that had the same configuration.
    ///
    /// - Parameter values: What is set in it from the start.
    /// - Returns: Its new number.
    func reopen(_ values: ValueTable? = nil) -> Int {
        let next = Identity.nextStore()
        number.store(next, ordering: .relaxed)
        openedAt.store(Task.currentPriority.rawValue, ordering: .relaxed)
        state.withLock { state in
            state.lifecycle.reopen()
            state.childCount = 0
        }
        slot.memory.open(for: self, isOwned: true, values)
        return next
    }

    /// Leaves the slot with the store when it closes, for an opener that waits for that.
    func keepSlot() { state.withLock { $0.own.openerTakesSlot = true } }

    /// Whether the store has closed, and the slot is the opener's; else the slot is given back when that is so.
    func takeSlot() -> Bool { state.withLock { $0.takeSlot() } }

    /// Whether it began to close at once, and the opener waits for the rest.
    var isClosingAtOnce: Bool { state.withLock { $0.own.openerIsComing || $0.own.hasWord } }

    /// Ends the part of the opener of a store that has closed at once.
    ///
    /// - Returns: `nil` where it has left jobs, which are all that is to be done.
    func leaveAtOnce() -> RequestStore.End? {
        state.withLock { state in
            guard !state.own.hasLine else { return nil }
            return state.takeSlot() ? .closed : .open
        }
    }

    /// Whether it has closed at once, and nothing is to be done for the opener but to run the jobs that it has left.
    ///
    /// Whoever closes it later has left word for the opener before there are any.
    var leavesOnlyJobs: Bool { state.withLock { $0.own.hasLine && !$0.own.hasWord } }
}

extension RequestCore.State {
    fileprivate mutating func takeSlot() -> Bool {
        guard own.openerTakesSlot else { return false }
        own.openerTakesSlot = false
        return lifecycle.phase(of: Lifecycle.rootScope) == .closed
    }

    /// Looks up what follows.
    fileprivate func next(after next: Lifecycle.Closing) -> RequestCore.Next {
        guard case .release(let entry, let verdict) = next else { return .closed }
        guard let acquisition = acquisitions[entry], let box = acquisition.box else {
            preconditionFailure("held without a value")
        }
        acquisition.core.slot.memory.withdraw(acquisition.resource.tag, of: acquisition.core.identity)
        let outcome = outcome(of: Lifecycle.rootScope, verdict: verdict)
        return .release(PendingRelease(acquisition: acquisition, box: box, outcome: outcome))
    }

    /// Whether nothing but the lifecycle stands in the way of ending.
    fileprivate var canEndAtOnce: Bool { own.memos.isEmpty && !own.hasPhaseWaiters }

    /// Whether nothing is left of what was used but values.
    fileprivate var isUnused: Bool {
        lifecycle.isUnused && !own.refersToAnything
    }
}
