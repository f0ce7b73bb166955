/// The task-local that makes a store current.
///
/// There is one in the process.
enum Ambient {
    @TaskLocal static var core: StoreCore?
}

extension RequestStore {
    /// The store of the request that the running code serves, or `nil` outside a request.
    ///
    /// In a task that outlives its request this is the closed store, never another one.
    public static var current: RequestStore? { Ambient.core.map(RequestStore.init) }

    /// The current core, or the error that says that there is none.
    static func currentCore(for key: String) throws(RequestStoreError) -> StoreCore {
        guard let core = Ambient.core else {
            throw RequestStoreError(key: key, request: nil, reason: .outsideRequest)
        }
        return core
    }
}

/// The current store, or, outside a request, a fresh one that nobody else can see.
///
/// A fresh store holds values for as long as it is held itself. It acquires no resources, because nobody would ever
/// release them: acquiring throws. In a task that outlives its request this is the closed store.
public func requestStore() -> RequestStore {
    RequestStore.current ?? RequestStore(core: StoreCore(isOwned: false))
}

/// Runs `body` with no store current, for work that belongs to the application and not to the request: filling a cache
/// that all requests share, for example.
///
/// - Parameter body: Runs in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
public func withoutRequestStore<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    try Ambient.with(nil, body)
}

/// Runs `body` with no store current, for work that belongs to the application and not to the request.
///
/// - Parameter body: Runs in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
public nonisolated(nonsending) func withoutRequestStore<Result, Failure: Error>(
    _ body: nonisolated(nonsending) () async throws(Failure) -> Result
) async throws(Failure) -> Result {
    try await Ambient.with(nil, body)
}

extension Ambient {
    /// Runs `body` with `core` current.
    static nonisolated(nonsending) func with<Result, Failure: Error>(
        _ core: StoreCore?,
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            return try await $core.withValue(core) { try await body() }
        } catch {
            // `withValue` rethrows `any Error`; what comes out of it is what `body` threw.
            throw error as! Failure
        }
    }

    /// Runs `body` with `core` current, outside async code.
    static func with<Result, Failure: Error>(
        _ core: StoreCore?,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            return try $core.withValue(core) { try body() }
        } catch {
            throw error as! Failure
        }
    }
}
