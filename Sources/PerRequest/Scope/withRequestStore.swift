/// Opens a store, runs `body` with it, and closes it: for a command, a queue job, a Lambda, a test.
///
/// The store settles when `body` returns or throws, and is closed when this function returns. It is a root, unless
/// `nesting` says otherwise.
///
/// ```swift
/// try await withRequestStore { store in
///     try await Current.connection.get().query("…")
/// }
/// ```
///
/// Work that `body` registers with `RequestStore.afterResponse` runs before this function returns.
///
/// **Cancellation.** `body` sees the cancellation of the calling task; releases do not, they run to their end or limit.
///
/// - Parameters:
///   - nesting: How the store relates to the one that is current here.
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observer: Sees what the store does.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged. Where `body` succeeded and a release failed, a ``RequestReleaseError``.
@discardableResult
public nonisolated(nonsending) func withRequestStore<Result>(
    _ nesting: RequestNesting = .independent,
    id: String? = nil,
    observer: (any RequestObserver)? = nil,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    let scope: RequestScope
    switch (nesting.mode, Ambient.core) {
    case (.join, let core?):
        guard !core.isClosed else { throw core.error(.requestEnded, key: nil) }
        return try await body(RequestStore(core: core))
    case (.child(let owned), let parent?):
        guard let child = RequestScope(id: id, childOf: parent, owning: owned, observer: observer) else {
            throw parent.error(.requestEnded, key: nil)
        }
        scope = child
    case (.independent, _), (.join, nil), (.child, nil):
        scope = RequestScope(openedBy: id, observer)
    }
    return try await scope.serve(releaseFailure: { $0 as any Error }, body)
}

/// Opens a store, runs `body` with it, and closes it, with typed errors.
///
/// The store is a root. A release that fails after `body` succeeded needs a place in the error type:
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
    try await RequestScope(openedBy: id, observer).serve(releaseFailure: releaseFailure, body)
}

/// Opens a store in which something takes the place of resources, for `PerRequestTesting`.
package nonisolated(nonsending) func withRequestStore<Result>(
    _ overrides: ResourceOverrides,
    id: String?,
    observer: (any RequestObserver)?,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    let scope = RequestScope(openedBy: id, observer, overrides)
    return try await scope.serve(releaseFailure: { $0 as any Error }, body)
}

extension RequestScope {
    /// Opens a root whose opener runs what is left for after it.
    fileprivate convenience init(
        openedBy id: String?,
        _ observer: (any RequestObserver)?,
        _ overrides: ResourceOverrides = ResourceOverrides()
    ) {
        self.init(
            core: StoreCore(
                StoreConfiguration(observer: observer, overrides: overrides, background: .opener),
                id: id
            )
        )
    }

    /// Runs `body`, settles, closes, and throws what has to be thrown.
    fileprivate nonisolated(nonsending) func serve<Result, Failure: Error>(
        releaseFailure: (RequestReleaseError) -> Failure,
        _ body: nonisolated(nonsending) (RequestStore) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await run { () async throws(Failure) -> Result in
            let result: Result
            do throws(Failure) {
                result = try await body(store)
            } catch {
                fail(error)
                await close(.failed(error))
                await store.core.runJobsHere()
                throw error
            }
            let settlement = await settle()
            let outcome = await close()
            await store.core.runJobsHere()
            if settlement.failure != nil || !outcome.releaseFailures.isEmpty {
                throw releaseFailure(RequestReleaseError(request: store.id, outcome: outcome))
            }
            return result
        }
    }
}
