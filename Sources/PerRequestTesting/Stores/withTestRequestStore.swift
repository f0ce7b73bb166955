public import PerRequest

/// Opens a store for a test, runs `body` with it, and closes it.
///
/// ```swift
/// let connection = InMemoryConnection()
/// try await withTestRequestStore(overriding: [.resource(Current.connection, connection)], forcing: .rollback) { _ in
///     try await createNote("…")
/// }
/// #expect(connection.notes.isEmpty)
/// ```
///
/// The store is a root, and is closed when this function returns: what the releases did can be seen then. Work after the
/// response has run.
///
/// - Parameters:
///   - overrides: What takes the place of values, resources and memos, in this store, its children and its jobs.
///   - outcome: What becomes of the store although `body` succeeds; where it throws, that is its outcome.
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observers: See what the store does.
///   - body: The code to test, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged. Where `body` succeeded and a release failed, a `RequestReleaseError`: always
///   so with ``ForcedOutcome/failingCommit``.
@discardableResult
public nonisolated(nonsending) func withTestRequestStore<Result>(
    overriding overrides: [RequestOverride] = [],
    forcing outcome: ForcedOutcome? = nil,
    id: String? = nil,
    observers: [any RequestObserver] = [],
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    var replacements = StoreOverrides(addingTo: .present)
    for override in overrides { override.prepare(&replacements) }
    outcome?.install(in: &replacements)
    return try await withRequestStore(OverrideScope(replacements), id: id, observers: observers) { store in
        for override in overrides { try override.set(store) }
        return try await body(store)
    }
}
