import GRDB

/// An open transaction: the only way to write.
struct DatabaseTransaction: Sendable {
    let client: DatabaseClient

    /// Runs statements that write.
    ///
    /// Throws if SQLite has given up the transaction, so that no statement commits by itself.
    func write<Value: Sendable>(_ statements: @Sendable (Database) throws -> Value) async throws -> Value {
        try await client.queue.writeWithoutTransaction { db in
            guard db.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
            return try statements(db)
        }
    }
}
