/// An open transaction: the only way to write.
struct DatabaseTransaction: Sendable {
    let client: DatabaseClient

    /// Runs a statement.
    ///
    /// If the database has given up the transaction, one that writes throws: none commits by itself.
    func query(_ sql: String, _ values: SQLValue...) async throws -> [SQLRow] {
        try await client.query(sql, values)
    }

    /// Runs `body` in a part of the transaction: keeps what it does when it returns, undoes it when it throws.
    ///
    /// One at a time, or one inside of the other.
    func withSavepoint<Value>(_ body: (DatabaseTransaction) async throws -> Value) async throws -> Value {
        try await client.withSavepoint { try await body(self) }
    }
}
