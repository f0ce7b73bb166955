/// An open transaction: the only way to write.
struct DatabaseTransaction: Sendable {
    let client: DatabaseClient

    /// Runs a statement.
    ///
    /// If the database has given up the transaction, one that writes throws: none commits by itself.
    func query(_ sql: String, _ values: SQLValue...) async throws -> [SQLRow] {
        try await client.query(sql, values)
    }
}
