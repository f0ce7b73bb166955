extension RequestResource where Value: Sendable {
    /// Makes a key around any `with…` function: the resource is what the function gives, for the length of the request.
    ///
    /// `use` waits, for as long as the request uses the value. It returns when the request succeeded and throws when it
    /// did not, so that a transaction commits or rolls back by itself.
    ///
    /// ```swift
    /// static let connection = RequestResource.around("connection") { use in
    ///     try await pool.withConnection { connection in try await use(connection) }
    /// }
    /// ```
    ///
    /// A transaction on a connection that is a resource itself is made with
    /// ``around(_:on:released:limits:fileID:line:column:_:)``.
    ///
    /// The body calls `use` exactly once and returns what it returned. Never calling it fails the acquisition. A second
    /// call throws and fails the resource, since a request cannot be replayed: turn retries off. If the body ends while
    /// the request uses the value, the resource is lost: reading it throws, and the request is rolled back.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - released: When `use` returns.
    ///   - limits: How long the body may take until it calls `use`, and how long to end once `use` has returned.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    ///   - body: Calls `use`. It runs in a task that the store owns; the request's cancellation does not reach it.
    /// - Returns: The key.
    public static func around(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        _ body: @escaping @Sendable (RequestUse<Value>) async throws -> RequestUse<Value>.Receipt
    ) -> RequestResource {
        RequestResource(
            info: ResourceInfo(
                name: name,
                point: released,
                limits: limits,
                declaration: SourcePosition(fileID: fileID, line: line, column: column),
                .around { gate, publish, lost in
                    _ = try await body(RequestUse(gate: gate, publish: { publish(Box($0)) }, lost: lost))
                }
            )
        )
    }

    /// Makes a key around a `with…` function of another resource, which it has for itself until it has ended.
    ///
    /// For a transaction on the request's connection: a second one on the same connection would be the same transaction,
    /// and the first `COMMIT` would end both.
    ///
    /// ```swift
    /// static let transaction = RequestResource.around(
    ///     "transaction",
    ///     on: connection,
    ///     released: .beforeResponse
    /// ) { connection, use in
    ///     try await connection.withTransaction { transaction in try await use(transaction) }
    /// }
    /// ```
    ///
    /// `base` is acquired if need be. From then on until the body has ended, however long it overran, no other key is made
    /// on it, in child stores neither, and ``useExclusively(fileID:line:_:)`` of it throws
    /// ``RequestStoreError/Reason/claimed(by:for:)``. ``get(fileID:line:)`` of it works: what it does then is inside of the
    /// transaction. A part that can be undone on its own is a savepoint, made on the transaction in the same way and owned by
    /// a child store; a transaction that is independent needs a child store that owns `base` as well.
    ///
    /// In everything else it is like ``around(_:released:limits:fileID:line:column:_:)``.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - base: What the resource is made on.
    ///   - released: When `use` returns.
    ///   - limits: How long the body may take until it calls `use`, and how long to end once `use` has returned.
    ///   - fileID: The declaration's file, for errors and reports.
    ///   - line: The declaration's line, for errors and reports.
    ///   - column: The declaration's column, for errors and reports.
    ///   - body: Calls `use`. It runs in a task that the store owns; the request's cancellation does not reach it.
    /// - Returns: The key.
    public static func around<Base: Sendable>(
        _ name: String,
        on base: RequestResource<Base>,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        _ body: @escaping @Sendable (Base, RequestUse<Value>) async throws -> RequestUse<Value>.Receipt
    ) -> RequestResource {
        let position = SourcePosition(fileID: fileID, line: line)
        return .around(
            name,
            released: released,
            limits: limits,
            fileID: fileID,
            line: line,
            column: column
        ) { use in
            let store = try RequestStore.required(by: name)
            try base.check(in: store, at: position)
            return try await body(store.core.claim(base, for: name, from: position), use)
        }
    }
}
