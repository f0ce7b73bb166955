import Synchronization

/// One request's scope: opens the request's store, settles it and closes it.
///
/// It owns the request. `RequestScope` of `PerRequestAdapters` is the public form, and says what each of it does; our own
/// adapters use this one.
@usableFromInline
package final class StoreScope: Sendable {
    /// The request's store.
    @inlinable package var store: RequestStore { unsafe opened }

    // Written nowhere but when nobody else refers to the scope: in its `deinit`.
    @exclusivity(unchecked) @usableFromInline private(set) nonisolated(unsafe) var opened: RequestStore

    /// Opens a new store, a root: it has nothing to do with a store that is current here.
    @usableFromInline
    package convenience init(
        id: String? = nil,
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil
    ) {
        let isPlain =
            observers.isEmpty && report == nil && limits == StoreConfiguration.plain.limits && background == nil
        let configuration =
            isPlain
            ? .plain
            : StoreConfiguration(limits: limits, observers: observers, report: report, background: background)
        if isPlain, id == nil {
            self.init(sharing: configuration)
        } else {
            self.init(core: RequestCore(configuration, id: id))
        }
    }

    /// Opens a new store, a root, with what the requests of an adapter have in common.
    package convenience init(
        sharing configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)? = nil
    ) {
        self.init(opening: .open(sharing: configuration, reportingTo: receiver))
    }

    /// Makes a scope of a core.
    convenience init(core: RequestCore) {
        self.init(opening: RequestStore(core: core))
        core.tellOpened()
    }

    private init(opening store: RequestStore) { unsafe opened = store }

    /// Makes a scope of a child, whose observers know of it.
    init(child: ChildCore) {
        unsafe opened = RequestStore(core: child)
    }

    deinit {
        unsafe opened.core.abandon()
        unsafe opened.leave()
    }

    /// Runs `body` with the store current, in the caller's task and isolation.
    ///
    /// - Throws: What `body` throws; that does not fail the request.
    @discardableResult
    @inlinable
    package nonisolated(nonsending) func run<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await store.run(body)
    }

    /// Notes that the handler threw, before the framework makes a response of it.
    package func fail(_ error: any Error) {
        store.core.fail(error)
    }

    /// Notes why the handler did not succeed, where the adapter knows it better than the error says.
    package func fail(as ending: RequestOutcome.Ending) { store.fail(as: ending) }

    /// Decides the verdict and runs the releases of ``ReleasePoint/beforeResponse``.
    @discardableResult
    @usableFromInline
    package nonisolated(nonsending) func settle(status: RequestStatus? = nil) async -> StoreSettlement {
        await store.core.settle(status: status)
    }

    /// Runs all releases that are left and empties the store, after settling it if that was not done.
    @discardableResult
    @usableFromInline
    package nonisolated(nonsending) func close(
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

// MARK: - Without awaiting

extension StoreScope {
    /// Settles if nothing is to be released before the response; else ``settle(status:)`` does.
    @usableFromInline
    package func settledAtOnce(status: RequestStatus?) -> StoreSettlement? {
        store.core.settledAtOnce(status).map { StoreSettlement(outcome: $0, failure: nil) }
    }

    /// Closes if nothing has to be waited for; else ``close(_:status:)`` does the rest.
    @usableFromInline
    package func closedAtOnce(_ ending: RequestOutcome.Ending, status: RequestStatus?) -> RequestOutcome? {
        store.core.closedAtOnce(ending, status)
    }

    /// The same, but runs no release here: for an event loop, which none may keep.
    package func closedAtOnceUnlessHeld(_ ending: RequestOutcome.Ending, status: RequestStatus?) -> RequestOutcome? {
        store.core.closedAtOnce(ending, status, runsReleases: false)
    }
}

// MARK: - Without a scope

extension RequestStore {
    /// Runs `body` with the store current, in the caller's task and isolation.
    ///
    /// - Throws: What `body` throws; that does not fail the request.
    @inlinable
    package nonisolated(nonsending) func run<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        guard isPlainRoot else { return try await runWithSurroundings(body) }
        // In the caller's module: the generic form would cost more than all else.
        do {
            return try await Ambient.local.withValue(Carrier(self)) { try await body() }
        } catch {
            throw error as! Failure
        }
    }

    @usableFromInline
    nonisolated(nonsending) func runWithSurroundings<Result, Failure: Error>(
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await Ambient.with(Ambient.Context(core, inside: Ambient.surroundings), body)
    }

    /// Opens a store, a root, for an adapter whose frame closes it whatever happens, and calls ``leave()`` after that; else a
    /// ``StoreScope`` is needed.
    package static func open(
        sharing configuration: StoreConfiguration,
        reportingTo receiver: (any ReportReceiver)?
    ) -> RequestStore {
        let store = opened(configuration, reportingTo: receiver)
        // Others have the same configuration, and perhaps the same store when this one has ended.
        store.openedRoot.keepSlot()
        store.core.tellOpened()
        return store
    }

    /// Closes if nothing has to be waited for; else ``close(_:status:leaving:)`` does the rest.
    package func closesAtOnce(_ ending: RequestOutcome.Ending, status: RequestStatus?) -> Bool {
        core.closedAtOnce(ending, status) != nil
    }

    /// Closes the store for the adapter that opened it.
    package nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending,
        status: RequestStatus?,
        leaving rest: ReleasesUnderWay?
    ) async {
        await core.close(ending, status: status, leaving: rest)
    }

    /// Notes why the handler did not succeed, where the adapter knows it better than the error says.
    package func fail(as ending: RequestOutcome.Ending) { core.fail(as: ending) }

    /// Settles if nothing is to be released before the response; else ``settle(status:)`` does.
    package func settlesAtOnce(status: RequestStatus) -> Bool { core.settledAtOnce(status) != nil }

    /// Settles the store for an adapter that has it at hand where the scope is not; see ``StoreScope/settle(status:)``.
    package nonisolated(nonsending) func settle(status: RequestStatus?) async -> StoreSettlement {
        await core.settle(status: status)
    }
}
