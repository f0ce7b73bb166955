import Synchronization

extension StoreCore {
    /// Reads a value, through the parents if it is not set here.
    ///
    /// The state check and the read are one step (rule 7).
    ///
    /// - Returns: `.ended` once the store is closed.
    func read(_ key: ValueKey) -> Read {
        let read: Read = state.withLock { state in
            if let box = state.values[key] { return .found(box, isOwn: true) }
            return state.lifecycle.phase == .closed ? .ended : .unset
        }
        guard case .unset = read, let parent else { return read }
        switch parent.read(key) {
        case .found(let box, _): return .found(box, isOwn: false)
        case .unset, .ended: return .unset
        }
    }

    /// What is set under a key here or, if the store is open, in the parents.
    func box(for key: ValueKey) -> AnyBox? {
        guard case .found(let box, _) = read(key) else { return nil }
        return box
    }

    enum Read: Sendable {
        /// The value, and whether it was set in this very store.
        case found(AnyBox, isOwn: Bool)
        case unset
        case ended
    }

    /// The store of the whole request, where a value that is made at its first read belongs.
    var root: StoreCore { parent?.root ?? self }

    /// Writes a value, unless the store is closed.
    ///
    /// The value that was there before leaves after the lock.
    ///
    /// - Returns: Whether the value was written.
    func write(_ box: AnyBox?, for key: ValueKey) -> Bool {
        var replaced: AnyBox?
        let written = state.withLock { state in
            guard state.lifecycle.phase != .closed else { return false }
            replaced = state.values[key]
            state.values[key] = box
            return true
        }
        withExtendedLifetime(replaced) {}
        return written
    }

    /// Writes a value if the present one is still `expected`.
    func exchange(_ expected: AnyBox?, by box: AnyBox, for key: ValueKey) -> Exchange {
        var replaced: AnyBox?
        let result = state.withLock { state -> Exchange in
            guard state.lifecycle.phase != .closed else { return .ended }
            let present = state.values[key]
            guard present === expected else { return .lostRace(present) }
            replaced = present
            state.values[key] = box
            return .written
        }
        withExtendedLifetime(replaced) {}
        return result
    }

    enum Exchange: Sendable {
        case written
        case lostRace(AnyBox?)
        case ended
    }
}
