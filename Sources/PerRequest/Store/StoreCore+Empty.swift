import Synchronization

/// Stores that hold nothing: most requests, most of the time.
extension StoreCore {
    /// Settles in one step, if nothing is held.
    func settleIfEmpty(success: Bool, _ status: RequestStatus?) -> RequestOutcome? {
        state.withLock { state in
            guard state.canEndAtOnce, state.lifecycle.settleIfEmpty(success: success) else { return nil }
            state.status = status
            return state.outcome()
        }
    }

    /// Closes in one step, if nothing is held, left or observed.
    func closeIfEmpty(_ ending: RequestOutcome.Ending, _ status: RequestStatus?) -> RequestOutcome? {
        guard !configuration.isObserved, nesting == nil else { return nil }
        var left = SlotMemory.Leftovers()
        let outcome: RequestOutcome? = state.withLock { state in
            guard state.canEndAtOnce, state.jobs.isEmpty else { return nil }
            Self.note(ending, status, &state)
            guard state.lifecycle.closeIfEmpty() else { return nil }
            _ = slot.memory.close(identity, carries: false, &left)
            return state.outcome()
        }
        if outcome != nil { SlotPool.shared.giveBack(SlotPool.Spare(slot: slot)) }
        return outcome
    }

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

    /// Opens again a store that ended unused, that nobody refers to, and that had the same configuration.
    ///
    /// - Returns: Its new number.
    func reopen() -> Int {
        let next = Identity.nextStore()
        number.store(next, ordering: .relaxed)
        openedAt.store(Task.currentPriority.rawValue, ordering: .relaxed)
        state.withLock { $0.lifecycle.reopen() }
        slot.memory.open(for: self, isOwned: true, nil)
        return next
    }
}

extension StoreCore.State {
    /// Whether nothing but the lifecycle stands in the way of ending.
    fileprivate var canEndAtOnce: Bool { memos.isEmpty && phaseWaiters.isEmpty }

    /// Whether only values have been used, so that the state is as it was made once the lifecycle is.
    fileprivate var isUnused: Bool {
        lifecycle.isUnused && canEndAtOnce && jobs.isEmpty && ending == nil
    }
}
