/// What is current in a task.
///
/// There are two task-locals: one that every request binds and that is read without counting references, and one for what
/// few tasks have.
@usableFromInline
enum Ambient {
    @usableFromInline static let local = TaskLocal(wrappedValue: Carrier())
    /// The factory, release or body that this is inside of, whatever store is current.
    @TaskLocal static var surroundings: Surroundings?
}

/// The store that is current in a task: a pointer to its slot, which is never freed, and its number.
@usableFromInline
struct Carrier: Sendable {
    @usableFromInline let slot: Slot?
    @usableFromInline let store: Int
    /// Whether there is more to know: the surroundings are this one's, or what is asked for is noted for an entry.
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

// MARK: - Reading

extension Ambient {
    /// The current store; a closed one where the task has outlived its request.
    static var core: StoreCore? { core(of: local.get()) }

    /// The store that is current where `carrier` was read.
    static func core(of carrier: Carrier) -> StoreCore? {
        guard let slot = carrier.slot else { return nil }
        if let core = slot.memory.core(of: carrier.store) { return core }
        return surroundings?.store(numbered: carrier.store) ?? RequestCore(closed: carrier.store)
    }
}

// MARK: - Binding

extension Ambient {
    /// What a task has current, to be made current elsewhere.
    struct Context: Sendable {
        let core: StoreCore?
        let carrier: Carrier
        /// `nil` to leave those that are there, which the carrier does not count as its own.
        let surroundings: Surroundings?

        /// A store, inside of what is given; no store where it is `nil`.
        init(_ core: StoreCore?, inside outer: Surroundings? = nil) {
            let isOwn = core.map { $0.givenID != nil || !$0.isOwned || $0.configuration.isOfJobs } ?? false
            // Nested stores may be many: the next look-up ends here.
            let isNested = core?.parent != nil
            let isKnown = isOwn || outer != nil || isNested
            self.init(
                core,
                isKnown ? Surroundings(of: core, inside: outer, depth: outer?.depth ?? 0) : nil,
                isOwn: isOwn
            )
        }

        /// What it takes along, inside of what is there if it comes from nowhere else.
        fileprivate var surroundingsHere: Surroundings? {
            guard let surroundings, surroundings.isOutermost, let present = Ambient.surroundings else {
                return surroundings
            }
            return Surroundings(of: core, inside: present, depth: present.depth)
        }

        private init(_ core: StoreCore?, _ surroundings: Surroundings?, isOwn: Bool) {
            self.core = core
            self.surroundings = surroundings
            let hasMore = isOwn || surroundings?.isInsideEntry ?? false
            carrier = core.map { Carrier($0, hasSurroundings: hasMore) } ?? Carrier()
        }
    }

    /// What is current here.
    static var context: Context { Context(core, inside: surroundings) }

    /// Runs `body` with `context` current.
    static nonisolated(nonsending) func with<Result, Failure: Error>(
        _ context: Context,
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            guard let surroundings = context.surroundingsHere else {
                return try await local.withValue(context.carrier) { try await body() }
            }
            return try await $surroundings.withValue(surroundings) {
                try await local.withValue(context.carrier) { try await body() }
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
            guard let surroundings = context.surroundingsHere else {
                return try local.withValue(context.carrier) { try body() }
            }
            return try $surroundings.withValue(surroundings) { try local.withValue(context.carrier) { try body() } }
        } catch {
            throw error as! Failure
        }
    }

    /// Runs `body` as the code of an entry of a store, or as work that was left for after a response.
    ///
    /// In its task: a value that is bound around the start of a task costs more to take along.
    @inline(__always)
    static nonisolated(nonsending) func with<Result: Sendable>(
        entryOf core: StoreCore,
        _ surroundings: Surroundings,
        _ body: nonisolated(nonsending) () async -> Result
    ) async -> Result {
        await $surroundings.withValue(surroundings) {
            await local.withValue(Carrier(core, hasSurroundings: true)) { await body() }
        }
    }

    /// Runs `body` as one of the bodies of a request, in the store that is current.
    static nonisolated(nonsending) func with<Result>(
        bodyOf call: Int,
        of request: Int,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let present = local.get().hasSurroundings ? core : nil
        let outer = surroundings
        let inside = Surroundings(of: present, .body(call), of: request, inside: outer, depth: outer?.depth ?? 0)
        return try await $surroundings.withValue(inside) { try await body() }
    }
}
