import Synchronization

/// Stores that hold nothing: most requests, most of the time.
extension StoreCore {
    /// Settles in one step, if nothing is to be released before the response.
    func settleAtOnce(success: Bool, _ status: RequestStatus?) -> Bool {
        guard !isObserved, let request = self as? RequestCore else { return false }
        return request.state.withLock { $0.settleAtOnce(success: success, status) }
    }

    /// Settles in one step, if nothing is to be released before the response, and tells what becomes of the request.
    func outcomeOfSettlingAtOnce(success: Bool, _ status: RequestStatus?) -> RequestOutcome? {
        guard !isObserved, let request = self as? RequestCore else { return nil }
        return request.state.withLock { state in
            state.settleAtOnce(success: success, status) ? state.outcome(of: Lifecycle.rootScope) : nil
        }
    }

    /// Closes without waiting, if that can be done.
    ///
    /// - Returns: Whether it did; if it began to, the opener can wait for the rest.
    func closeAtOnce(_ ending: RequestOutcome.Ending, _ status: RequestStatus?) -> Bool {
        var nobodysOutcome: RequestOutcome?
        return closeAtOnce(ending, status, runsReleases: true, telling: false, &nobodysOutcome)
    }

    /// Closes without waiting, if that can be done, and tells what became of the request.
    ///
    /// - Parameter runsReleases: Whether it may run releases here, which may take their time before they first suspend.
    func outcomeOfClosingAtOnce(
        _ ending: RequestOutcome.Ending,
        _ status: RequestStatus?,
        runsReleases: Bool = true
    ) -> RequestOutcome? {
        var outcome: RequestOutcome?
        guard closeAtOnce(ending, status, runsReleases: runsReleases, telling: true, &outcome) else { return nil }
        return outcome ?? self.outcome
    }

    private func closeAtOnce(
        _ ending: RequestOutcome.Ending,
        _ status: RequestStatus?,
        runsReleases: Bool,
        telling isTold: Bool,
        _ outcome: inout RequestOutcome?
    ) -> Bool {
        guard !isObserved, let request = self as? RequestCore else { return false }
        var left = SlotMemory.Leftovers()
        var isFree = false
        let begun: RequestCore.Next? = request.state.withLock { state in
            guard state.canEndAtOnce, state.own.jobs.isEmpty else { return nil }
            if state.lifecycle.closeIfEmpty(completed: ending.isCompleted) {
                state.own.note(ending, status)
                _ = slot.memory.close(identity, carries: false, &left)
                isFree = !state.own.openerTakesSlot
                if isTold { outcome = state.outcome(of: Lifecycle.rootScope) }
                return .closed
            }
            guard runsReleases, let next = state.lifecycle.closeAlone(completed: ending.isCompleted) else { return nil }
            state.own.note(ending, status)
            state.own.openerIsComing = true
            return state.next(after: next)
        }
        switch begun {
        case .closed:
            if isFree { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
            return true
        case .release(let first): return ReleaseRun(closing: first, of: request).close()
        case nil: return false
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
    /// - Returns: What follows; `nil` if there is more to it, and then nothing has changed.
    func releasedAlone(_ acquisition: Acquisition) -> Next? {
        var left = SlotMemory.Leftovers()
        var isFree = false
        var box: AnyBox?
        let next: Next? = state.withLock { state in
            guard state.own.openerIsComing, acquisition.deadline == nil, acquisition.holdLimit == nil,
                let next = state.lifecycle.releasedAlone(acquisition.entry)
            else { return nil }
            _ = state.acquisitions.remove(acquisition.entry)
            box = acquisition.box.take()
            if case .closed = next {
                state.own.openerIsComing = false
                isFree = slot.memory.close(identity, carries: false, &left) && !state.own.openerTakesSlot
            }
            return state.next(after: next)
        }
        if isFree { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
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
    /// - Returns: Its new number.
    func reopen() -> Int {
        let next = Identity.nextStore()
        number.store(next, ordering: .relaxed)
        openedAt.store(Task.currentPriority.rawValue, ordering: .relaxed)
        state.withLock { state in
            state.lifecycle.reopen()
            state.childCount = 0
        }
        slot.memory.open(for: self, isOwned: true, nil)
        return next
    }

    /// Leaves the slot with the store when it closes, for an opener that waits for that.
    func keepSlot() { state.withLock { $0.own.openerTakesSlot = true } }

    /// Whether the store has closed, and the slot is the opener's; else the slot is given back when that is so.
    func takeSlot() -> Bool {
        state.withLock { state in
            guard state.own.openerTakesSlot else { return false }
            state.own.openerTakesSlot = false
            return state.lifecycle.phase(of: Lifecycle.rootScope) == .closed
        }
    }
}

extension RequestCore.State {
    fileprivate mutating func settleAtOnce(success: Bool, _ status: RequestStatus?) -> Bool {
        guard canEndAtOnce, lifecycle.settleAtOnce(success: success) else { return false }
        own.status = status
        return true
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
