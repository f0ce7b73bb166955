extension RequestStore {
    /// The store of the request that the running code serves, or `nil` outside a request.
    ///
    /// In a task that outlives its request this is the closed store, never another one.
    public static var current: RequestStore? { Ambient.core.map(RequestStore.init) }

    /// The current store, or the error that says that there is none.
    static func required(
        by key: @autoclosure () -> String,
        at place: @autoclosure () -> SourcePosition? = nil
    ) throws(RequestStoreError) -> RequestStore {
        guard let core = Ambient.core else {
            throw RequestStoreError(key: key(), request: nil, reason: .outsideRequest, place: place())
        }
        return RequestStore(core: core)
    }
}

/// The current store, or, outside a request, a fresh one that nobody else can see.
///
/// A fresh store holds values for as long as it is held itself. It acquires no resources, because nobody would ever
/// release them: acquiring throws. In a task that outlives its request this is the closed store.
public func requestStore() -> RequestStore {
    RequestStore.current ?? RequestStore(core: RequestCore(.plain, isOwned: false))
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
    try Ambient.with(Ambient.Context(nil), body)
}

/// Runs `body` with no store current, for work that belongs to the application and not to the request.
///
/// - Parameter body: Runs in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
public nonisolated(nonsending) func withoutRequestStore<Result, Failure: Error>(
    _ body: nonisolated(nonsending) () async throws(Failure) -> Result
) async throws(Failure) -> Result {
    try await Ambient.with(Ambient.Context(nil), body)
}
