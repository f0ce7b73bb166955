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
/// request only. A resource that is acquired inside the factory of another is released after it; it has to live as long.
///
/// **Isolation.** May be used from any task of the request; a value that is not `Sendable` by one of them at a time, with
/// ``useExclusively(fileID:line:_:)``. Callers that come while the factory runs wait for it
/// together. Factory and release run in tasks that the store owns, with the store current, at the priority of the task
/// that opened it.
///
/// **Cancellation.** Cancelling a caller ends its own wait and nothing else. The factory is cancelled when its time limit
/// passes or its release point begins. A release is cancelled only when it overran its limit.
///
/// **Errors.** An error of the factory goes to all that wait, and is not kept: the next caller tries again. An error of a
/// release is in the ``RequestOutcome`` and reported; before the response it also turns the response into an error.
public struct RequestResource<Value>: Sendable {
    // The task-local and the tag are read in the caller's module.
    @usableFromInline let local: TaskLocal<Carrier>
    @usableFromInline let tag: Int32
    let info: ResourceInfo

    /// The name, for errors.
    public var name: String { info.name }

    /// Makes a key for a value that need not be `Sendable`, from a factory and a release.
    ///
    /// Nothing else may refer to what the factory returns, and the release is its last user. In between it is used by
    /// ``useExclusively(fileID:line:_:)``.
    ///
    /// ```swift
    /// static let client = RequestResource("client") {
    ///     try await Client.connect()
    /// } release: { client, outcome in
    ///     await client.close()
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - released: When the release runs.
    ///   - limits: How long the factory and the release may take, and how long the resource may be held unreported.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    ///   - acquire: Makes the value.
    ///   - release: Ends the value's life, knowing what became of the request.
    public init(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        acquire: @escaping @Sendable () async throws -> sending Value,
        release: @escaping @Sendable (sending Value, RequestOutcome) async throws -> Void
    ) {
        let box = Box<Value>.self
        self.init(
            info: ResourceInfo(
                name: name,
                point: released,
                limits: limits,
                declaration: SourcePosition(fileID: fileID, line: line, column: column),
                .closures(
                    acquire: { box.init(try await acquire()) },
                    release: { box, outcome in try await release(box.handOver(as: Value.self), outcome) }
                )
            )
        )
    }

    init(info: ResourceInfo) {
        local = Ambient.local
        tag = info.tag
        self.info = info
    }
}

extension RequestResource where Value: Sendable {
    /// Makes a key from a factory and a release.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - released: When the release runs.
    ///   - limits: How long the factory and the release may take, and how long the resource may be held unreported.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    ///   - acquire: Makes the value.
    ///   - release: Ends the value's life, knowing what became of the request.
    public init(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        acquire: @escaping @Sendable () async throws -> Value,
        release: @escaping @Sendable (Value, RequestOutcome) async throws -> Void
    ) {
        let box = Box<Value>.self
        self.init(
            info: ResourceInfo(
                name: name,
                point: released,
                limits: limits,
                declaration: SourcePosition(fileID: fileID, line: line, column: column),
                .closures(
                    acquire: { box.init(try await acquire()) },
                    release: { box, outcome in try await release(box.valueOnHotPath(as: Value.self), outcome) }
                )
            )
        )
    }

    /// Makes a key for an existential or a superclass, from a factory and a release of one concrete type.
    ///
    /// ```swift
    /// static let database = RequestResource<any Database>("database", as: { $0 }) {
    ///     try await PostgresDatabase.connect()
    /// } release: { database, _ in
    ///     await database.close()
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - convert: Makes what callers get from what the factory made.
    ///   - released: When the release runs.
    ///   - limits: How long the factory and the release may take, and how long the resource may be held unreported.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    ///   - acquire: Makes the concrete value.
    ///   - release: Ends the concrete value's life, knowing what became of the request.
    public init<Concrete: Sendable>(
        _ name: String,
        as convert: @escaping @Sendable (Concrete) -> Value,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        acquire: @escaping @Sendable () async throws -> Concrete,
        release: @escaping @Sendable (Concrete, RequestOutcome) async throws -> Void
    ) {
        self.init(
            info: ResourceInfo(
                name: name,
                point: released,
                limits: limits,
                declaration: SourcePosition(fileID: fileID, line: line, column: column),
                .closures(
                    acquire: {
                        let concrete = try await acquire()
                        return ConvertedBox(convert(concrete), from: concrete)
                    },
                    release: { box, outcome in
                        try await release(box.origin(of: Value.self, as: Concrete.self), outcome)
                    }
                )
            )
        )
    }
}
