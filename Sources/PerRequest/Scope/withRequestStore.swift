/// Opens a store, runs `body` with it, and closes it: for a command, a queue job, a Lambda, a test.
///
/// The store is a root: nothing of a store that is current here is seen in it. It settles when `body` returns or throws,
/// and is closed when this function returns.
///
/// ```swift
/// try await withRequestStore { store in
///     try await Current.connection.get().query("…")
/// }
/// ```
///
/// **Cancellation.** `body` sees the cancellation of the calling task; releases do not, they run to their end or limit.
///
/// - Parameters:
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observer: Sees what the store does.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged. Where `body` succeeded and a release failed, a ``RequestReleaseError``.
@discardableResult
public nonisolated(nonsending) func withRequestStore<Result>(
    id: String? = nil,
    observer: (any RequestObserver)? = nil,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    try await withRequestStore(id: id, observer: observer, releaseFailure: { $0 as any Error }, body)
}

/// Opens a store, runs `body` with it, and closes it, with typed errors.
///
/// Like ``withRequestStore(id:observer:_:)``. A release that fails after `body` succeeded needs a place in the error type:
/// `releaseFailure` gives it one.
///
/// - Parameters:
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observer: Sees what the store does.
///   - releaseFailure: Makes the error to throw where `body` succeeded and a release failed.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged, or what `releaseFailure` makes.
@discardableResult
public nonisolated(nonsending) func withRequestStore<Result, Failure: Error>(
    id: String? = nil,
    observer: (any RequestObserver)? = nil,
    releaseFailure: (RequestReleaseError) -> Failure,
    _ body: nonisolated(nonsending) (RequestStore) async throws(Failure) -> Result
) async throws(Failure) -> Result {
    let scope = RequestScope(id: id, observer: observer)
    return try await scope.run { () async throws(Failure) -> Result in
        let result: Result
        do throws(Failure) {
            result = try await body(scope.store)
        } catch {
            scope.fail(error)
            await scope.close(.failed(error))
            throw error
        }
        await scope.settle()
        let outcome = await scope.close()
        if let error = RequestReleaseError(request: scope.store.id, outcome: outcome) { throw releaseFailure(error) }
        return result
    }
}
