/// What is current in a task.
///
/// There are three task-locals in the process: one that every request binds and that is read without counting references,
/// and two for what few tasks have.
@usableFromInline
enum Ambient {
    @usableFromInline static let local = TaskLocal(wrappedValue: Carrier())
    @TaskLocal static var surroundings: Surroundings?
    /// The factory, release or body that this is inside of, whatever store is current.
    @TaskLocal static var activity: Activity?
}

/// The store that is current in a task: a pointer to its slot, which is never freed, and its number.
@usableFromInline
struct Carrier: Sendable {
    @usableFromInline let slot: Slot?
    @usableFromInline let store: Int
    /// Whether there is more to know: the task-local ``Ambient/surroundings`` belongs to this one, or what is asked for is
    /// noted for an entry.
    @usableFromInline let hasSurroundings: Bool

    /// No store.
    init() {
        slot = nil
        store = 0
        hasSurroundings = false
    }

    /// A store, and nothing else.
    @inlinable
    init(_ store: RequestStore) {
        slot = store.slot
        self.store = store.number
        hasSurroundings = false
    }

    init(_ core: StoreCore, hasSurroundings: Bool) {
        slot = core.slot
        store = core.identity
        self.hasSurroundings = hasSurroundings
    }
}

/// What is current in few tasks.
final class Surroundings: Sendable {
    /// The id that the request was given: the store is not there any more to say it when a task outlives its request.
    let id: String?
    /// The current store, if nobody owns it: it lives for as long as somebody refers to it.
    let privateStore: StoreCore?

    init(id: String?, privateStore: StoreCore?) {
        self.id = id
        self.privateStore = privateStore
    }
}

// MARK: - Reading

extension Ambient {
    private static var present: Surroundings? { local.get().hasSurroundings ? surroundings : nil }

    /// The current store; a closed one where the task has outlived its request.
    static var core: StoreCore? {
        let carrier = local.get()
        guard let slot = carrier.slot else { return nil }
        if let core = slot.memory.core(of: carrier.store) { return core }
        let present = present
        return present?.privateStore ?? RequestCore(closed: carrier.store, id: present?.id)
    }
}

// MARK: - Binding

extension Ambient {
    /// What a task has current, to be made current elsewhere.
    struct Context: Sendable {
        let core: StoreCore?
        let carrier: Carrier
        let surroundings: Surroundings?
        let activity: Activity?
        /// Whether a look-up of the activity is to end here, though there is none: nested stores may be many.
        private let isChild: Bool

        /// A store, and what runs in it here; no store and nothing where it is `nil`.
        init(_ core: StoreCore?, activity: Activity? = nil) {
            self.core = core
            self.activity = activity
            isChild = core?.parent != nil
            let privateStore = core.flatMap { $0.isOwned ? nil : $0 }
            let id = core?.givenID
            let isKnown = id == nil && privateStore == nil
            surroundings = isKnown ? nil : Surroundings(id: id, privateStore: privateStore)
            let hasMore = !isKnown || activity?.isOfEntry ?? false
            carrier = core.map { Carrier($0, hasSurroundings: hasMore) } ?? Carrier()
        }

        /// Whether nothing but the carrier has to be bound.
        fileprivate var isPlain: Bool { surroundings == nil && activity == nil && !isChild && !local.get().hasSurroundings }
    }

    /// What is current here.
    static var context: Context { Context(core, activity: activity) }

    /// Runs `body` with `context` current.
    static nonisolated(nonsending) func with<Result, Failure: Error>(
        _ context: Context,
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            if context.isPlain { return try await local.withValue(context.carrier) { try await body() } }
            return try await $surroundings.withValue(context.surroundings) {
                try await $activity.withValue(context.activity ?? activity) {
                    try await local.withValue(context.carrier) { try await body() }
                }
            }
        } catch {
            // `withValue` rethrows `any Error`; what comes out of it is what `body` threw.
            throw error as! Failure
        }
    }

    /// Runs `body` with `context` current, outside async code.
    static func with<Result, Failure: Error>(
        _ context: Context,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            if context.isPlain { return try local.withValue(context.carrier) { try body() } }
            return try $surroundings.withValue(context.surroundings) {
                try $activity.withValue(context.activity ?? activity) {
                    try local.withValue(context.carrier) { try body() }
                }
            }
        } catch {
            throw error as! Failure
        }
    }

    /// Runs `body` inside of an activity, in the store that is current.
    static nonisolated(nonsending) func with<Result>(
        _ activity: Activity,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        try await $activity.withValue(activity) { try await body() }
    }
}
