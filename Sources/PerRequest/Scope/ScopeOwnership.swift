import Synchronization

/// Who keeps a request open for as long as somebody still writes its response: a task-local, which tasks that start inherit.
///
/// The tasks of a store do not: a factory or an `around` function that is started while the response is written would keep
/// its own request open, and wait for its end. Nor does what runs by a snapshot of another store: a server may come to its
/// next request while it writes one.
package enum ScopeOwnership {
    private struct Bound: Sendable {
        let owner: any AnyObject & Sendable
        let store: RequestStore
    }

    @TaskLocal private static var bound: Bound?

    /// Whether anybody ever was: most programs have none, and ask no task-local.
    private static let isInUse = Atomic(false)

    private static var present: Bound? { isInUse.load(ordering: .relaxed) ? bound : nil }

    /// The one that is bound here.
    package static var current: (any AnyObject & Sendable)? { present?.owner }

    /// Runs `body` with the owner of a store's scope bound, which the tasks that start in there keep.
    package static func with<Result>(
        _ owner: some AnyObject & Sendable,
        of store: RequestStore,
        _ body: () throws -> Result
    ) rethrows -> Result {
        isInUse.store(true, ordering: .relaxed)
        return try $bound.withValue(Bound(owner: owner, store: store)) { try body() }
    }

    /// Runs `body` with the owner of a store's scope bound, which the tasks that start in there keep.
    package static nonisolated(nonsending) func with<Result>(
        _ owner: some AnyObject & Sendable,
        of store: RequestStore,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async rethrows -> Result {
        isInUse.store(true, ordering: .relaxed)
        return try await $bound.withValue(Bound(owner: owner, store: store)) { try await body() }
    }

    /// Runs `body` with no owner bound: what starts in there keeps nobody's request open.
    package static func withNone<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard current != nil else { return try body() }
        return try $bound.withValue(nil) { try body() }
    }

    /// Runs `body` with no owner bound but that of the request of `core`.
    static func within<Result>(_ core: StoreCore?, _ body: () throws -> Result) rethrows -> Result {
        isForeign(to: core) ? try $bound.withValue(nil) { try body() } : try body()
    }

    /// Runs `body` with no owner bound but that of the request of `core`.
    static nonisolated(nonsending) func within<Result>(
        _ core: StoreCore?,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async rethrows -> Result {
        isForeign(to: core) ? try await $bound.withValue(nil) { try await body() } : try await body()
    }

    private static func isForeign(to core: StoreCore?) -> Bool {
        guard let present else { return false }
        return present.store.core.request.identity != core?.request.identity
    }
}
