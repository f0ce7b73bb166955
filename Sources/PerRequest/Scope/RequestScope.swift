/// One request's scope, for authors of adapters: opens the request's store, settles it and closes it.
///
/// Application code needs none of this: it uses an adapter or ``withRequestStore(id:observer:_:)``.
///
/// ```swift
/// let scope = RequestScope()
/// await scope.run {
///     // the handler; `scope.fail(error)` where it throws
///     let settlement = await scope.settle(status: .http(200))      // before the head
///     // the head and the body
/// }
/// await scope.close(.completed)                                     // after the last byte
/// ```
///
/// **Lifetime.** The scope owns the request. A scope that is dropped before it was closed reports that, and what its
/// store holds is released with the outcome ``RequestOutcome/Ending/abandoned``.
///
/// **Isolation.** It may be used from any task. Settling and closing belong to the opener alone, in this order; each
/// happens once, and a repeat does nothing.
///
/// **Cancellation.** None of it reacts to the cancellation of the calling task: releases always run to their end or
/// limit.
public final class RequestScope: Sendable {
    /// The request's store.
    public let store: RequestStore

    /// Opens a new store, a root: it has nothing to do with a store that is current here.
    ///
    /// - Parameters:
    ///   - id: The request's id in errors and reports; a number that is unique in the process by default.
    ///   - observer: Sees what the store does.
    ///   - report: Gets what went wrong and that no caller was told; writes to standard error by default. It is called
    ///     synchronously from any task or thread and must not block.
    public init(
        id: String? = nil,
        observer: (any RequestObserver)? = nil,
        report: (@Sendable (RequestReport) -> Void)? = nil
    ) {
        let reporter = report ?? RequestReport.writeToStandardError
        store = RequestStore(core: StoreCore(id: id, observer: observer, reporter: reporter, isOwned: true))
        observer?.opened(store)
    }

    deinit {
        store.core.abandon()
    }

    /// Runs `body` with the store current, in the caller's task and isolation.
    ///
    /// - Throws: What `body` throws; that does not fail the request, call ``fail(_:)`` for it.
    @discardableResult
    public nonisolated(nonsending) func run<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await Ambient.with(store.core, body)
    }

    /// Notes that the handler threw, before the framework makes a response of it.
    ///
    /// The request will be rolled back.
    ///
    /// The first cause wins; once the response is settled, this does nothing. A `CancellationError` in a cancelled task
    /// is noted as ``RequestOutcome/Ending/cancelled``.
    public func fail(_ error: any Error) {
        store.core.fail(error)
    }

    /// Decides the verdict and runs the releases of ``ReleasePoint/beforeResponse``.
    ///
    /// To be called when the response is known and before any of it, but for informational heads, is written.
    ///
    /// - Parameter status: The status the handler intends.
    /// - Returns: Whether that response may be written. Releases that fail or overrun are in there; nothing is thrown.
    @discardableResult
    public nonisolated(nonsending) func settle(status: RequestStatus? = nil) async -> RequestSettlement {
        await store.core.settle(status: status)
    }

    /// Runs all releases that are left and empties the store, after settling it if that was not done.
    ///
    /// To be called after the last byte of the response was written or could not be written, on every path.
    ///
    /// - Parameters:
    ///   - ending: How the request ended; a cause that was noted before wins over it.
    ///   - status: The status that was written, where it differs from the settled one.
    /// - Returns: What became of the request.
    @discardableResult
    public nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending = .completed,
        status: RequestStatus? = nil
    ) async -> RequestOutcome {
        await store.core.close(ending, status: status)
    }
}
