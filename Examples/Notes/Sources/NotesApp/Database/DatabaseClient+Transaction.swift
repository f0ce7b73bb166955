import GRDB

extension DatabaseClient {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    func withTransaction<Value>(_ body: (DatabaseTransaction) async throws -> Value) async throws -> Value {
        try await pool.writer.enter()
        defer { pool.writer.leave() }
        do {
            try await control { db in try db.beginTransaction(.immediate) }
            let result = try await body(DatabaseTransaction(client: self))
            try await control { db in try db.commit() }
            return result
        } catch {
            // Where this fails too, the pool finds out and closes the connection.
            try? await rollBackIfNeeded()
            throw error
        }
    }

    func rollBackIfNeeded() async throws {
        try await control { db in
            if db.isInsideTransaction { try db.rollback() }
        }
    }

    /// Begins or ends a transaction.
    ///
    /// Cancelling the task does not stop it half-way, unlike GRDB's async functions.
    private func control(_ statement: @escaping @Sendable (Database) throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            queue.asyncWriteWithoutTransaction { db in
                continuation.resume(with: Result { try statement(db) })
            }
        }
    }
}
