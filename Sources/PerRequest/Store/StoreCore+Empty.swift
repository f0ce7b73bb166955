import Synchronization

/// Stores that hold nothing: most requests, most of the time.
extension StoreCore {
    /// Settles in one step, if nothing is held.
    func settleIfEmpty(success: Bool, _ status: RequestStatus?) -> RequestOutcome? {
        guard let request = self as? RequestCore else { return nil }
        return request.state.withLock { state in
            guard state.canEndAtOnce, state.lifecycle.settleIfEmpty(success: success) else { return nil }
            state.own.status = status
            return state.outcome(of: Lifecycle.rootScope)
        }
    }

    /// Closes in one step, if nothing is held, left or observed.
    func closeIfEmpty(_ ending: RequestOutcome.Ending, _ status: RequestStatus?) -> RequestOutcome? {
        guard !configuration.isObserved, let request = self as? RequestCore else { return nil }
        var left = SlotMemory.Leftovers()
        var isOpenersSlot = false
        let outcome: RequestOutcome? = request.state.withLock { state in
            guard state.canEndAtOnce, state.own.jobs.isEmpty else { return nil }
            guard state.lifecycle.closeIfEmpty(completed: ending.isCompleted) else { return nil }
            state.own.note(ending, status)
            _ = slot.memory.close(identity, carries: false, &left)
            isOpenersSlot = state.own.openerTakesSlot
            return state.outcome(of: Lifecycle.rootScope)
        }
        if outcome != nil, !isOpenersSlot { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
        return outcome
    }
}

extension RequestCore {
    /// Settles and closes in one step, if nothing of the store was ever used but its values.
    ///
    /// - Returns: Whether it did. The slot is the caller's to give back.
    func endIfUnused() -> Bool {
        var left = SlotMemory.Leftovers()
        return state.withLock { state in
            guard state.isUnused, state.lifecycle.settleIfEmpty(success: true), state.lifecycle.closeIfEmpty() else {
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
    /// Whether nothing but the lifecycle stands in the way of ending.
    fileprivate var canEndAtOnce: Bool { own.memos.isEmpty && !own.hasPhaseWaiters }

    /// Whether nothing is left of what was used but values.
    fileprivate var isUnused: Bool {
        lifecycle.isUnused && !own.refersToAnything
    }
}
