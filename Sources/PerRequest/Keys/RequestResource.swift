/// A key for a resource that belongs to the request: acquired on first use, once, and released when the request is over.
///
/// Declare it once, as a static constant.
///
/// ```swift
/// static let connection = RequestResource("connection") {
///     try await pool.lease()
/// } release: { connection, outcome in
///     await pool.giveBack(connection)
/// }
/// ```
///
/// **Lifetime.** The first ``get(fileID:line:)`` of a request acquires; the value is the request's until its
/// ``ReleasePoint``. Then the release runs exactly once, with what became of the request. Use the value inside the
/// request only.
///
/// **Isolation.** May be used from any task of the request. Callers that come while the factory runs wait for it
/// together. Factory and release run in tasks that the store owns, with the store current, at the priority of the task
/// that opened it.
///
/// **Cancellation.** Cancelling a caller ends its own wait and nothing else. The factory is cancelled when its time limit
/// passes or its release point begins. A release is cancelled only when it overran its limit.
///
/// **Errors.** An error of the factory goes to all that wait, and is not kept: the next caller tries again. An error of a
/// release is in the ``RequestOutcome`` and reported; before the response it also turns the response into an error.
public struct RequestResource<Value: Sendable>: Sendable {
    enum Form: Sendable {
        case closures(
            acquire: @Sendable () async throws -> Value,
            release: @Sendable (Value, RequestOutcome) async throws -> Void
        )
        case around(@Sendable (RequestUse<Value>) async throws -> RequestUse<Value>.Receipt)
    }

    let info: ResourceInfo
    let form: Form

    /// The name, for errors.
    public var name: String { info.name }

    /// Makes a key from a factory and a release.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - released: When the release runs.
    ///   - acquireTimeout: How long the factory may take. Then it is cancelled and its callers get an error.
    ///   - releaseTimeout: How long the release may take. Then it is cancelled and reported, and the request goes on
    ///     without it. A factory that was cancelled is awaited for as long.
    ///   - acquire: Makes the value.
    ///   - release: Ends the value's life, knowing what became of the request.
    public init(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        acquireTimeout: Duration = .seconds(30),
        releaseTimeout: Duration = .seconds(10),
        acquire: @escaping @Sendable () async throws -> Value,
        release: @escaping @Sendable (Value, RequestOutcome) async throws -> Void
    ) {
        info = ResourceInfo(
            id: Identity.nextKey(),
            name: name,
            point: released,
            acquireTimeout: acquireTimeout,
            releaseTimeout: releaseTimeout
        )
        form = .closures(acquire: acquire, release: release)
    }

    init(info: ResourceInfo, form: Form) {
        self.info = info
        self.form = form
    }

    /// The resource of the current store, acquired if this is its first use.
    ///
    /// - Returns: The value. It is valid until its release point.
    /// - Throws: What the factory throws; `CancellationError` if this caller is cancelled; ``RequestStoreError`` outside a
    ///   request, after it, once the release point has begun, and if the factory exceeds its limit.
    public func get(fileID: String = #fileID, line: UInt = #line) async throws -> Value {
        let core = try RequestStore.currentCore(for: name)
        return try await get(from: core, at: SourcePosition(fileID: fileID, line: line))
    }

    /// The resource of `store`, acquired if this is its first use; see ``get(fileID:line:)``.
    public func get(in store: RequestStore, fileID: String = #fileID, line: UInt = #line) async throws -> Value {
        try await get(from: store.core, at: SourcePosition(fileID: fileID, line: line))
    }

    private func get(from core: StoreCore, at position: SourcePosition) async throws -> Value {
        try await core.acquire(self, from: position).value(as: Value.self)
    }
}

extension RequestResource: Acquirable {
    func makeRelease(in core: StoreCore) -> Acquisition.ReleaseForm {
        switch form {
        case .closures(_, let release):
            return .closure { box, outcome in try await release(box.value(as: Value.self), outcome) }
        case .around:
            let name = info.name
            let request = core.id
            return .gate(Gate { RequestStoreError(key: name, request: request, reason: $0) })
        }
    }

    func fly(_ acquisition: Acquisition, in core: StoreCore) async {
        switch (form, acquisition.release) {
        case (.closures(let acquire, _), _):
            do {
                core.arrived(acquisition, Box(try await acquire()))
            } catch {
                core.flightFailed(acquisition, error)
            }
        case (.around(let body), .gate(let gate)):
            var thrown: (any Error)?
            do {
                let use = RequestUse<Value>(
                    gate: gate,
                    publish: { core.arrived(acquisition, Box($0)) },
                    lost: { core.lost(acquisition, nil) }
                )
                _ = try await body(use)
            } catch {
                thrown = error
            }
            switch gate.end(thrown) {
            case .acquireFailed(let error): core.flightFailed(acquisition, error)
            case .lost(let cause): core.lost(acquisition, cause)
            case .released(let error): core.perform(core.released(acquisition, error))
            }
        case (.around, .closure):
            preconditionFailure("an around form has a gate")
        }
    }
}
