import Synchronization

/// One request's scope, for authors of adapters: opens the request's store, settles it and closes it.
///
/// Application code needs none of this: it uses an adapter or ``withRequestStore(_:id:observer:background:_:)``.
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
    public var store: RequestStore { unsafe opened }

    // Written nowhere but when nobody else refers to the scope: in its `deinit`.
    @exclusivity(unchecked) @usableFromInline private(set) nonisolated(unsafe) var opened: RequestStore

    /// Opens a new store, a root: it has nothing to do with a store that is current here.
    ///
    /// - Parameters:
    ///   - id: The request's id in errors and reports; a number that is unique in the process by default.
    ///   - limits: How long each release point may take in all.
    ///   - observer: Sees what the store does.
    ///   - report: Gets what went wrong and that no caller was told; ``RequestReport/setHandler(_:)`` by default. It is
    ///     called synchronously from any task or thread and must not block.
    ///   - background: Runs what the request leaves for after its response; where there is none, leaving some throws.
    public convenience init(
        id: String? = nil,
        limits: RequestLimits = RequestLimits(),
        observer: (any RequestObserver)? = nil,
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil
    ) {
        let isPlain = observer == nil && report == nil && limits == StoreConfiguration.plain.limits && background == nil
        let configuration =
            isPlain
            ? .plain
            : StoreConfiguration(limits: limits, observer: observer, report: report, background: background)
        if isPlain, id == nil {
            self.init(opening: .opened(configuration), isShared: true)
        } else {
            self.init(core: RequestCore(configuration, id: id))
        }
    }

    /// Opens a new store, a root, with what the requests of an adapter have in common.
    package convenience init(
        sharing configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)? = nil
    ) {
        self.init(opening: .opened(configuration, reportingTo: receiver), isShared: true)
    }

    /// Makes a scope of a core.
    convenience init(core: RequestCore) {
        self.init(opening: RequestStore(core: core), isShared: false)
    }

    private init(opening store: RequestStore, isShared: Bool) {
        unsafe opened = store
        // Others have the same configuration, and perhaps the same store when this one has ended.
        if isShared { store.openedRoot.keepSlot() }
        if store.core.configuration.isObserved { store.core.observer?.opened(store) }
    }

    /// Makes a scope of a child, whose observer knows of it.
    init(child: ChildCore) {
        unsafe opened = RequestStore(core: child)
    }

    deinit {
        unsafe opened.core.abandon()
        unsafe opened.leave()
    }

    /// Runs `body` with the store current, in the caller's task and isolation.
    ///
    /// - Throws: What `body` throws; that does not fail the request, call ``fail(_:)`` for it.
    @discardableResult
    @inlinable
    public nonisolated(nonsending) func run<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        guard store.isPlainRoot else { return try await runWithSurroundings(body) }
        // In the caller's module: the generic form would cost more than all else.
        do {
            return try await Ambient.local.withValue(Carrier(store)) { try await body() }
        } catch {
            throw error as! Failure
        }
    }

    @usableFromInline
    nonisolated(nonsending) func runWithSurroundings<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await Ambient.with(Ambient.Context(store.core, inside: Ambient.surroundings), body)
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

    /// Notes why the handler did not succeed, where the adapter knows it better than the error says: that the client left,
    /// or that the request was cancelled.
    ///
    /// The request will be rolled back.
    ///
    /// The first cause wins; once the response is settled, this does nothing.
    public func fail(as ending: RequestOutcome.Ending) {
        store.core.fail(as: ending)
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
    /// To be called after the last byte of the response was written or could not be written, on every path. It returns
    /// when all is released or the limits have passed; what is left then goes on by itself, and the store is closed when
    /// the last release has ended.
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

    /// The same, but returns when ``RequestLimits/nextRequest`` has passed: `rest` then counts what goes on.
    @discardableResult
    package nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending,
        status: RequestStatus?,
        leaving rest: ReleasesUnderWay?
    ) async -> RequestOutcome {
        await store.core.close(ending, status: status, leaving: rest)
    }
}

extension RequestStore {
    /// Settles the store for an adapter that has it at hand where the scope is not; see ``RequestScope/settle(status:)``.
    package nonisolated(nonsending) func settle(status: RequestStatus?) async -> RequestSettlement {
        await core.settle(status: status)
    }
}
