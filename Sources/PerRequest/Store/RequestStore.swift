/// The store of one request: a handle to its values and resources.
///
/// An adapter opens a store for every request, and ``withRequestStore(_:id:observers:background:_:)`` opens one anywhere else. While
/// code runs for the request, the store is ``current``; keys such as ``RequestLocal`` and ``RequestResource`` use that
/// one, or take a store explicitly.
///
/// **Lifetime.** A store is open until the last release of its request has ended. Then it is closed and empty, even if
/// something still holds the handle: it never shows another request's data. Holding a handle does not
/// hold the request open.
///
/// **Isolation.** Everything on it may be called from any task and any thread. None of it runs your code under a lock.
public struct RequestStore: Sendable {
    private(set) var core: StoreCore
    // Both are the core's, kept here because they are read in the caller's module.
    @usableFromInline let slot: Slot
    @usableFromInline private(set) var number: Int

    init(core: consuming StoreCore) {
        self.core = core
        slot = core.slot
        number = core.identity
    }

    /// Whether a task in which the store is current needs to know nothing else.
    @usableFromInline var isPlainRoot: Bool { core.givenID == nil && core.parent == nil }

    /// The request's id: the one its opener gave or its server has, else a number that is unique in the process.
    ///
    /// A child's is that of its request and which of its children it is: `…/2`.
    public var id: String { core.id }

    /// Whether the request is over: the store is empty, and nothing can be set or acquired.
    public var isClosed: Bool { core.isClosed }

    /// Declares that the request failed, so that its resources are rolled back although the handler returns normally.
    ///
    /// The response stays the handler's. The first error wins; once the response is settled, this does nothing.
    ///
    /// - Parameter error: What failed; it becomes the ending of the ``RequestOutcome``.
    public func fail(_ error: any Error) {
        core.fail(error)
    }
}

extension RequestStore {
    /// Opens a store that its opener ends, for which nothing was said; `nil` where a test overrides something.
    @usableFromInline
    static func opened() -> RequestStore? {
        guard OverrideScope.present == nil else { return nil }
        var spare = SlotPool.shared.take()
        guard var store = spare.store.take(), store.core.configuration.isOpeners else {
            return RequestStore(core: RequestCore(.opener, slot: spare.slot))
        }
        store.number = store.openedRoot.reopen()
        return store
    }

    /// Opens a root's store, a new one or one that has ended and had the same configuration.
    ///
    /// - Parameter values: What is set in it from the start.
    static func opened(
        _ configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)? = nil,
        values: ValueTable? = nil
    ) -> RequestStore {
        var spare = SlotPool.shared.take()
        guard OverrideScope.present == nil, var store = spare.store.take(), store.core.configuration === configuration
        else {
            let core = RequestCore(configuration, reportingTo: receiver, values: values, slot: spare.slot)
            return RequestStore(core: core)
        }
        store.number = store.openedRoot.reopen(values)
        store.core.receiver = receiver
        return store
    }

    /// Gives back the slot of a store that has ended, with the store if nobody else refers to it.
    @usableFromInline
    consuming func recycle(unused: Bool = false) {
        let slot = slot
        guard isKnownUniquelyReferenced(&core), unused || openedRoot.forgetAll() else {
            return SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
        }
        core.forgetParticulars()
        SlotPool.shared.giveBack(SlotPool.Spare(slot: slot, store: self))
    }

    /// Gives back the slot of a scope's store, if it has closed, with the store if nobody else refers to it; else it is given
    /// back when that is so.
    package mutating func leave() {
        guard core.parent == nil, openedRoot.takeSlot() else { return }
        guard isKnownUniquelyReferenced(&core), openedRoot.forgetAll() else {
            return SlotPool.shared.giveBack(SlotPool.Spare(slot: slot))
        }
        core.forgetParticulars()
        SlotPool.shared.giveBack(SlotPool.Spare(slot: slot, store: self))
    }
}

extension RequestStore: Hashable {
    /// Whether both are the store of the same request.
    public static func == (lhs: RequestStore, rhs: RequestStore) -> Bool { lhs.number == rhs.number }

    /// Hashes the store's identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension RequestStore: CustomStringConvertible {
    /// The request's id and whether the store is open.
    public var description: String { "request \(id) (\(isClosed ? "closed" : "open"))" }
}
