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
/// Work that `body` registers with `RequestStore.afterResponse` runs before this function returns; given `background`, that runs
/// it and nobody waits for it, so that a Lambda or the consumer of a queue can answer first.
///
/// **Cancellation.** `body` sees the cancellation of the calling task; releases do not, they run to their end or limit.
///
/// - Parameters:
///   - nesting: How the store relates to the one that is current here.
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observers: See what the store does; of a child without any, its parent's do.
///   - background: Runs what is left for after the response. A store that is not a root leaves that to its parent's.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged. Where `body` succeeded and a release failed, a ``RequestReleaseError``.
@discardableResult
@inlinable
public nonisolated(nonsending) func withRequestStore<Result>(
    _ nesting: RequestNesting = .independent,
    id: String? = nil,
    observers: [any RequestObserver] = [],
    background: BackgroundWork? = nil,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    guard nesting.isIndependent, id == nil, observers.isEmpty, background == nil, let store = RequestStore.opened()
    else {
        return try await withRequestStore(nesting, given: id, observers, background, body)
    }
    // What most requests do, in the caller's module: the generic form would cost more than all else.
    var end = RequestStore.End.unused
    let result: Result
    do {
        result = try await Ambient.local.withValue(Carrier(store)) {
            let result = try await body(store)
            // Where nothing has to be waited for, nothing is awaited: that costs.
            if let ended = store.endAtOnce() { end = ended } else { end = await store.end() }
            return result
        }
    } catch {
        if await store.end(after: error) { (consume store).recycle() }
        throw error
    }
    (consume store).recycle(after: end)
    if case .failed(let failure, _) = end { throw failure }
    return result
}

@usableFromInline
nonisolated(nonsending) func withRequestStore<Result>(
    _ nesting: RequestNesting,
    given id: String?,
    _ observers: [any RequestObserver],
    _ background: BackgroundWork?,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    let scope: StoreScope
    switch (nesting.mode, Ambient.core) {
    case (.join, let core?):
        guard !core.isClosed else { throw core.error(.requestEnded, key: nil) }
        return try await body(RequestStore(core: core))
    case (.child(let owned), let parent?):
        guard let child = parent.openChild(owning: owned, id: id, observers: observers) else {
            throw parent.error(.requestEnded, key: nil)
        }
        scope = StoreScope(child: child)
    case (.independent, _), (.join, nil), (.child, nil):
        scope = StoreScope(openedBy: id, observers, background)
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
///   - observers: See what the store does.
///   - background: Runs what is left for after the response; the opener does, before it returns, where it is `nil`.
///   - releaseFailure: Makes the error to throw where `body` succeeded and a release failed.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged, or what `releaseFailure` makes.
@discardableResult
public nonisolated(nonsending) func withRequestStore<Result, Failure: Error>(
    id: String? = nil,
    observers: [any RequestObserver] = [],
    background: BackgroundWork? = nil,
    releaseFailure: (RequestReleaseError) -> Failure,
    _ body: nonisolated(nonsending) (RequestStore) async throws(Failure) -> Result
) async throws(Failure) -> Result {
    try await StoreScope(openedBy: id, observers, background).serve(releaseFailure: releaseFailure, body)
}

/// Opens a store in which something takes the place of resources and memos, for `PerRequestTesting`.
package nonisolated(nonsending) func withRequestStore<Result>(
    _ overrides: OverrideScope,
    id: String?,
    observers: [any RequestObserver],
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    let scope = StoreScope(openedBy: id, observers, nil, overrides)
    return try await scope.serve(releaseFailure: { $0 as any Error }, body)
}

extension StoreScope {
    /// Opens a root whose opener runs what is left for after it, where nobody else does.
    fileprivate convenience init(
        openedBy id: String?,
        _ observers: [any RequestObserver],
        _ background: BackgroundWork?,
        _ overrides: OverrideScope? = nil
    ) {
        let owner = background.map(BackgroundOwner.work) ?? .opener
        let configuration = StoreConfiguration(observers: observers, overrides: overrides, background: owner)
        self.init(core: RequestCore(configuration, id: id))
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
                await store.endHere(after: error)
                throw error
            }
            if let failure = await store.endHere() { throw releaseFailure(failure) }
            return result
        }
    }
}

extension RequestStore {
    /// Settles and closes without waiting, if that can be done.
    ///
    /// The store is current. Where it returns `nil`, ``end()`` does the rest.
    @usableFromInline
    func endAtOnce() -> End? {
        let request = openedRoot
        if !request.isObserved, request.endIfUnused() { return .unused }
        request.keepSlot()
        guard request.settledAtOnce(nil) != nil, request.closedAtOnce(.completed, nil) != nil else { return nil }
        return request.leaveAtOnce()
    }

    /// How a store that was opened here has ended.
    ///
    /// The slot of one that has closed is the caller's to give back.
    @usableFromInline
    enum End: Sendable {
        case unused
        case closed
        /// What overran is released some time, and then it closes.
        case open
        case failed(any Error, isClosed: Bool)
    }

    /// Gives back what is the opener's to give back.
    @inlinable
    consuming func recycle(after end: End) {
        switch end {
        case .unused: recycle(unused: true)
        case .closed, .failed(_, isClosed: true): recycle()
        case .open, .failed: break
        }
    }

    /// Runs work that was left for after a response, settles and closes.
    ///
    /// - Parameter fail: Gets what the work throws.
    nonisolated(nonsending) func serve(
        _ work: @Sendable () async throws -> Void,
        _ fail: (any Error) -> Void
    ) async -> End {
        let outer = Ambient.surroundings
        // What outlives it finds the store, and its id, in there.
        let surroundings = Surroundings(of: core, inside: outer, depth: outer?.depth ?? 0)
        return await Ambient.with(entryOf: core, surroundings) {
            do {
                try await work()
            } catch {
                fail(error)
                return await end(after: error) ? .closed : .open
            }
            if !core.configuration.isOverridden, let end = endAtOnce() { return end }
            return await end()
        }
    }

    /// Settles and closes, and runs what is left for after it.
    ///
    /// The store is current.
    @usableFromInline
    nonisolated(nonsending) func end() async -> End {
        let request = core.request
        request.keepSlot()
        var failure: RequestReleaseError?
        if request.leavesOnlyJobs { await request.runJobsHere() } else { failure = await endHere() }
        let isClosed = request.takeSlot()
        if let failure { return .failed(failure, isClosed: isClosed) }
        return isClosed ? .closed : .open
    }

    /// Settles and closes after `error` with the store current, and runs what is left for after it.
    ///
    /// - Returns: Whether the store has closed, so that its slot is the caller's to give back.
    @usableFromInline
    nonisolated(nonsending) func end(after error: any Error) async -> Bool {
        core.request.keepSlot()
        await Ambient.local.withValue(Carrier(self)) { await endHere(after: error) }
        return core.request.takeSlot()
    }

    fileprivate nonisolated(nonsending) func endHere() async -> RequestReleaseError? {
        // What has begun to close has settled, and well.
        let failure = core.request.isClosingAtOnce ? nil : await core.settle(status: nil).failure
        let outcome = await core.close(.completed, status: nil)
        await core.runJobsHere()
        guard failure != nil || !outcome.releaseFailures.isEmpty else { return nil }
        return RequestReleaseError(request: id, outcome: outcome)
    }

    fileprivate nonisolated(nonsending) func endHere(after error: any Error) async {
        core.fail(error)
        await core.close(.failed(error), status: nil)
        await core.runJobsHere()
    }
}
