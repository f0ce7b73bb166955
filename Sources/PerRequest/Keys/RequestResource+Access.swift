extension RequestResource where Value: Sendable {
    /// The resource of the current store, acquired if this is its first use.
    ///
    /// - Returns: The value. It is valid until its release point.
    /// - Throws: What the factory throws; `CancellationError` if this caller is cancelled; ``RequestStoreError`` outside a
    ///   request, after it, once the release point has begun, if the factory exceeds its limit, and if the resource would
    ///   depend on itself or on one that is released before it.
    @inlinable
    public func get(fileID: String = #fileID, line: UInt = #line) async throws -> Value {
        let carrier = local.get()
        // A factory notes what it asks for.
        if !carrier.hasSurroundings, let slot = carrier.slot {
            if let value = slot.memory.value(tag, of: carrier.store, as: Value.self) { return value }
            // A parent's resource may be the child's own to acquire.
            if let held = slot.memory.elsewhere(tag, of: carrier.store, throughParents: false) {
                return held.valueOnHotPath(as: Value.self)
            }
        }
        switch try begin(in: carrier, fileID, line) {
        case .acquired(let acquired): return acquired.box.valueOnHotPath(as: Value.self)
        case .waiting(let caller): return try await value(for: caller, fileID, line)
        }
    }

    @usableFromInline
    func begin(in carrier: Carrier, _ fileID: String, _ line: UInt) throws -> StoreCore.Begun {
        let position = SourcePosition(fileID: fileID, line: line)
        guard let core = Ambient.core(of: carrier) else {
            throw RequestStoreError(key: name, request: nil, reason: .outsideRequest, place: position)
        }
        if info.isRefused { try check(in: RequestStore(core: core), at: position) }
        return try core.beginAcquiring(info, from: position)
    }

    @usableFromInline
    func value(for caller: StoreCore.Caller, _ fileID: String, _ line: UInt) async throws -> Value {
        let position = SourcePosition(fileID: fileID, line: line)
        return try await caller.core.acquired(caller, info, from: position).box.valueOnHotPath(as: Value.self)
    }

    /// The resource of `store`, acquired if this is its first use; see ``get(fileID:line:)``.
    public func get(in store: RequestStore, fileID: String = #fileID, line: UInt = #line) async throws -> Value {
        let position = SourcePosition(fileID: fileID, line: line)
        try check(in: store, at: position)
        return try await store.core.acquire(info, from: position).box.valueOnHotPath(as: Value.self)
    }

    /// Runs `body` with the resource of the current store; its release waits for the body.
    ///
    /// For work that may outlast the request's other work, such as a child task that nobody awaits: the resource is not
    /// released under it. The release waits for the body as long as the release may take, and then reports it.
    ///
    /// - Parameters:
    ///   - fileID: The caller's file, for reports.
    ///   - line: The caller's line, for reports.
    ///   - body: Uses the value, in the caller's task and isolation.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, and what ``get(fileID:line:)`` throws.
    public nonisolated(nonsending) func use<Result>(
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (Value) async throws -> Result
    ) async throws -> Result {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try await use(in: store, fileID: fileID, line: line, body)
    }

    /// Runs `body` with the resource of `store`; its release waits for the body.
    ///
    /// See ``use(fileID:line:_:)``.
    public nonisolated(nonsending) func use<Result>(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (Value) async throws -> Result
    ) async throws -> Result {
        let position = SourcePosition(fileID: fileID, line: line)
        try check(in: store, at: position)
        let acquired = try await store.core.acquire(info, from: position, as: .use)
        return try await store.core.run(acquired, from: position) { try await body(acquired.box.value(as: Value.self)) }
    }

    /// The resource of the current store if it is held, without acquiring it.
    ///
    /// It is `nil` outside a request, before the first use and from the start of the release on.
    public var valueIfHeld: Value? {
        guard let store = RequestStore.current else { return nil }
        return valueIfHeld(in: store)
    }

    /// The resource of `store` if it is held, without acquiring it; see ``valueIfHeld``.
    public func valueIfHeld(in store: RequestStore) -> Value? {
        store.core.held(info.id)?.value(as: Value.self)
    }
}

extension RequestResource {
    /// Releases the resource of the current store now, before its point.
    ///
    /// What was acquired with its help is released first, with the same verdict: to release a connection with `.commit`
    /// commits the transaction that is open on it, whatever the handler does afterwards. Nothing happens if it is not held.
    /// Afterwards it can be acquired again, unless its point has begun or it was made with `around`. Who asks for its release
    /// meanwhile waits for the same one and gets its result.
    ///
    /// - Parameters:
    ///   - verdict: What the release is told, whatever becomes of the request.
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    /// - Throws: What the release throws, or that of something built on the resource; a ``RequestReleaseError`` with all of them
    ///   where several threw. That is this caller's to handle, and no failure of the request; but where what failed is
    ///   released before the response and was to commit, the request is rolled back and answered with an error, whoever
    ///   handles it. ``RequestStoreError`` if it overran its limit, if a factory or a child store's resource is using it, if
    ///   the caller's own body is using it or it would wait for itself in another way, once its point has begun, outside a
    ///   request and after it.
    public func release(
        _ verdict: RequestOutcome.Verdict,
        fileID: String = #fileID,
        line: UInt = #line
    ) async throws {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        try await release(verdict, in: store, fileID: fileID, line: line)
    }

    /// Releases the resource of `store` now, before its point; see ``release(_:fileID:line:)``.
    public func release(
        _ verdict: RequestOutcome.Verdict,
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line
    ) async throws {
        do {
            try await store.core.releaseEarly(info, verdict)
        } catch let error as RequestStoreError {
            throw error.at(SourcePosition(fileID: fileID, line: line))
        }
    }

    /// A key that is one of too many cannot be used.
    func check(in store: RequestStore, at place: SourcePosition) throws(RequestStoreError) {
        guard info.isRefused, let declaration = info.declaration else { return }
        throw store.core.error(.keyMadeAnew(declaredAt: declaration), key: name).at(place)
    }
}
