extension RequestResource {
    /// Runs `body` with the resource of the current store when nobody else uses it; its release waits for the body.
    ///
    /// For a client that is not `Sendable`, or that must not be used by two tasks of a request at the same time.
    ///
    /// ```swift
    /// let notes = try await Current.client.useExclusively { client in try await client.query("…") }
    /// ```
    ///
    /// **Lifetime.** The value is the body's until it ends, and cannot leave it: what the body returns is `Sendable`. What the body does to it, or puts in its
    /// place, the next body and the release get, also if it throws. The release waits for all bodies that run or wait for
    /// their turn, as it does for those of ``use(fileID:line:_:)``. Of a value that is `Sendable`, ``get(fileID:line:)``
    /// does not wait for a turn, and gives the value as the last body left it.
    ///
    /// **Isolation.** One body at a time, in the order in which they asked, each in its caller's task and isolation.
    ///
    /// **Cancellation.** Cancelling a caller ends its wait. A body that runs sees the cancellation of its task.
    ///
    /// **Errors.** A body that asks for the same resource again, also in a child task or in a factory, would wait for
    /// itself: that throws. So do bodies of one store that wait for each other. A task that is started inside of a body
    /// and not awaited there may not ask for the resource until the body has ended.
    ///
    /// - Parameters:
    ///   - fileID: The caller's file, for reports.
    ///   - line: The caller's line, for reports.
    ///   - body: Uses the value.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; what the factory throws; `CancellationError` if this caller is cancelled while it
    ///   waits; ``RequestStoreError`` where ``get(fileID:line:)`` throws it, and if the wait would never end.
    public nonisolated(nonsending) func useExclusively<Result: Sendable>(
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (inout sending Value) async throws -> Result
    ) async throws -> Result {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try await useExclusively(in: store, fileID: fileID, line: line, body)
    }

    /// Runs `body` with the resource of `store` when nobody else uses it; its release waits for the body.
    ///
    /// See ``useExclusively(fileID:line:_:)``.
    public nonisolated(nonsending) func useExclusively<Result: Sendable>(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (inout sending Value) async throws -> Result
    ) async throws -> Result {
        let position = SourcePosition(fileID: fileID, line: line)
        try check(in: store, at: position)
        let acquired = try await store.core.acquire(info, from: position, as: .exclusive)
        return try await store.core.lend(acquired, as: Value.self, from: position, body)
    }
}
