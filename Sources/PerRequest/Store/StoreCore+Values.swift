extension StoreCore {
    /// Reads a value, through the parents if it is not set here.
    ///
    /// The state check and the read are one step (rule 7).
    ///
    /// - Returns: `.ended` once the store is closed.
    func read(_ key: ValueKey) -> Read {
        switch slot.memory.read(key, of: identity) {
        case .found(let value): return .found(value, isOwn: true)
        case .ended: return .ended
        case .unset: break
        }
        var next = parent
        while let address = next {
            if case .found(let value) = address.slot.memory.read(key, of: address.number) {
                return .found(value, isOwn: false)
            }
            next = address.slot.memory.core(of: address.number)?.parent
        }
        return .unset
    }

    enum Read: Sendable {
        /// The value, and whether it was set in this very store.
        case found(StoredValue, isOwn: Bool)
        case unset
        case ended
    }

    /// The store of the whole request, where a value that is made at its first read belongs.
    var root: StoreCore { request }

    /// Writes a value, unless the store is closed.
    ///
    /// A value that a test has pinned stays as it is. The value that was there before leaves after the lock.
    ///
    /// - Returns: Whether the value was written.
    func write(_ value: StoredValue?, for key: ValueKey) -> Bool {
        guard !configuration.pins(key) else { return !isClosed }
        return switch slot.memory.write(value, for: key, of: identity) {
        case .written: true
        case .unexpected, .ended: false
        }
    }

    /// Writes a value if the present one is still `expected`.
    func exchange(_ expected: StoredValue?, by value: StoredValue, for key: ValueKey) -> SlotWrite {
        guard !configuration.pins(key) else { return isClosed ? .ended : .written(replaced: expected) }
        return slot.memory.write(value, for: key, of: identity) { present in
            switch (present, expected) {
            case (nil, nil): true
            case (let present?, let expected?): present.isSame(as: expected)
            case (nil, _?), (_?, nil): false
            }
        }
    }
}
