public import PerRequest

/// One request's scope: opens the request's store, settles it and closes it.
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
/// **Lifetime.** The scope owns the request, together with its copies, which are the same scope. If the last of them is
/// dropped before the scope was closed, that is reported, and what its store holds is released with the outcome
/// `RequestOutcome.Ending.abandoned`. What lives as long as the request, a value in its store or a
/// task that it starts, must not hold the scope: the ``store`` is enough there.
///
/// **Isolation.** It may be used from any task. Settling and closing belong to the opener alone, in this order; each
/// happens once, and a repeat does nothing.
///
/// **Cancellation.** None of it reacts to the cancellation of the calling task: releases always run to their end or
/// limit.
public struct RequestScope: Sendable {
    // What only forwards is inlinable, and asks first whether there is anything to wait for: one call more of an asynchronous
    // function costs some two hundred instructions.
    @usableFromInline let scope: StoreScope

    /// The request's store.
    @inlinable public var store: RequestStore { scope.store }

    /// Opens a new store, a root: it has nothing to do with a store that is current here.
    ///
    /// - Parameters:
    ///   - id: The request's id in errors and reports; a number that is unique in the process by default.
    ///   - limits: How long each release point may take in all.
    ///   - observers: See what the store does.
    ///   - report: Gets what went wrong and that no caller was told; `RequestReport.setHandler(_:)` by default. It is
    ///     called synchronously from any task or thread and must not block.
    ///   - background: Runs what the request leaves for after its response; where there is none, leaving some throws.
    @inlinable
    public init(
        id: String? = nil,
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil
    ) {
        scope = StoreScope(id: id, limits: limits, observers: observers, report: report, background: background)
    }

    /// Runs `body` with the store current, in the caller's task and isolation.
    ///
    /// - Throws: What `body` throws; that does not fail the request, call ``fail(_:)`` for it.
    @discardableResult
    @inlinable
    public nonisolated(nonsending) func run<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await scope.run(body)
    }

    /// Tells observers what the request asks for; once more when more of it is known.
    ///
    /// Costs nothing where nobody observes. Once the request is over, this does nothing.
    public func serving(_ served: @autoclosure () -> RequestEvent.Served) {
        scope.store.serving(served())
    }

    /// Tells observers that the request has come to a phase: routing, the handler, the body.
    ///
    /// Settling and closing tell it by themselves. Once the request is over, this does nothing.
    public func enter(_ phase: RequestEvent.Phase) {
        scope.store.enter(phase)
    }

    /// Notes that the handler threw, before the framework makes a response of it.
    ///
    /// The request will be rolled back.
    ///
    /// The first cause wins; once the response is settled, this does nothing. A `CancellationError` in a cancelled task
    /// is noted as `RequestOutcome.Ending.cancelled`.
    public func fail(_ error: any Error) {
        scope.fail(error)
    }

    /// Notes why the handler did not succeed, where the adapter knows it better than the error says: that the client left,
    /// or that the request was cancelled.
    ///
    /// The request will be rolled back.
    ///
    /// The first cause wins; once the response is settled, this does nothing.
    public func fail(as ending: RequestOutcome.Ending) {
        scope.fail(as: ending)
    }

    /// Decides the verdict and runs the releases of `ReleasePoint.beforeResponse`.
    ///
    /// To be called when the response is known and before any of it, but for informational heads, is written.
    ///
    /// - Parameter status: The status the handler intends.
    /// - Returns: Whether that response may be written. Releases that fail or overrun are in there; nothing is thrown.
    @discardableResult
    @inlinable
    public nonisolated(nonsending) func settle(status: RequestStatus? = nil) async -> RequestSettlement {
        if let settlement = scope.settledAtOnce(status: status) { return RequestSettlement(settlement) }
        return RequestSettlement(await scope.settle(status: status))
    }

    /// Settles without a task, if nothing is to be released before the response; `nil` otherwise.
    package func settleAtOnce(status: RequestStatus?) -> RequestSettlement? {
        scope.settledAtOnce(status: status).map { RequestSettlement($0) }
    }

    /// Closes without a task, if nothing is held and nobody observes; `nil` otherwise.
    package func closeAtOnce(_ ending: RequestOutcome.Ending, status: RequestStatus?) -> RequestOutcome? {
        scope.closedAtOnceUnlessHeld(ending, status: status)
    }

    /// Runs all releases that are left and empties the store, after settling it if that was not done.
    ///
    /// To be called after the last byte of the response was written or could not be written, on every path. It returns
    /// when all is released or the limits have passed; what is left then goes on by itself, and the store is closed when
    /// the last release has ended.
    ///
    /// - Parameters:
    ///   - ending: How the request ended; a cause that was noted before wins over it.
    ///   - status: The status that was written, where it differs from the settled one.
    /// - Returns: What became of the request.
    @discardableResult
    @inlinable
    public nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending = .completed,
        status: RequestStatus? = nil
    ) async -> RequestOutcome {
        if let outcome = scope.closedAtOnce(ending, status: status) { return outcome }
        return await scope.close(ending, status: status)
    }
}
