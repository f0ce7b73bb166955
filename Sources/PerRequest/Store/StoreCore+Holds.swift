import Synchronization

/// A resource of a parent's that a resource of a child's is built on.
///
/// The parent does not release it for as long as the child's lives: it counts as a body of `use`.
struct Hold: Sendable {
    /// The parent and its entry.
    let core: StoreCore
    let entry: Int
    let holder: Holder

    func isSame(as other: Hold) -> Bool { core === other.core && entry == other.entry }
}

/// The child's resource that holds a parent's.
struct Holder: Equatable, Sendable {
    let store: Int
    let entry: Int
    let name: String
}

extension StoreCore {
    /// The factory in which a resource of this store would be captive: its store is a parent, which outlives this one.
    ///
    /// A child that was opened inside the factory closes before the factory ends, so that it may be used there.
    func captor(in factory: RunningFactory?) -> RunningFactory? {
        var next = factory
        while let factory = next {
            if descends(from: factory.core), !isOpened(inside: factory), factory.isFlying { return factory }
            next = factory.outer
        }
        return nil
    }

    private func isOpened(inside factory: RunningFactory) -> Bool {
        guard self !== factory.core else { return false }
        if let openedIn = nesting?.factory, openedIn.isInside(factory) { return true }
        return parent?.isOpened(inside: factory) ?? false
    }

    /// Whether the factory belongs to a child of this store, so that what it acquires here has to be held for it.
    func isParent(of factory: RunningFactory) -> Bool { factory.core.descends(from: self) }

    /// Turns a pin of `entry` into a hold of the child's resource whose factory has acquired it.
    ///
    /// The pin is given back where the resource has it already, or where its flight has ended. A caller that pins the
    /// entry itself gets a pin of its own.
    func hold(_ entry: Int, for factory: RunningFactory, pins: Bool) {
        let holder = Holder(store: factory.core.identity, entry: factory.entry, name: factory.name)
        let hold = Hold(core: self, entry: entry, holder: holder)
        state.withLock { state in
            state.acquisitions[entry]?.holders.append(holder)
            if pins { state.lifecycle.addUse(of: entry) }
        }
        let isNew = factory.core.state.withLock { state in
            guard state.lifecycle.isFlying(factory.entry), let record = state.acquisitions[factory.entry],
                !record.holds.contains(where: hold.isSame)
            else { return false }
            record.holds.append(hold)
            return true
        }
        if !isNew { end(hold) }
    }

    /// Ends a hold of this store's.
    func end(_ hold: Hold) {
        send(.useEnded(hold.entry)) { state in
            let record = state.acquisitions[hold.entry]
            guard let index = record?.holders.firstIndex(of: hold.holder) else { return }
            record?.holders.remove(at: index)
        }
    }
}

extension StoreCore.State {
    /// A child's resource that is built on this one, or on one that would be released with it.
    func holder(of resource: Int) -> Holder? {
        lifecycle.due(withEarlyReleaseOf: resource).lazy.compactMap { acquisitions[$0]?.holders.first }.first
    }
}
