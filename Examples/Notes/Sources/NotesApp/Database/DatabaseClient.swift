import GRDB

/// A connection to the database, leased for one request.
struct DatabaseClient: Sendable {
    /// The lease's id, which no other lease ever has.
    let id: Int

    let queue: DatabaseQueue
    let pool: ConnectionPool

    func giveBack() async {
        await pool.giveBack(self)
    }

    /// Runs a query.
    ///
    /// Inside the request's transaction it sees what the transaction has written.
    func read<Value: Sendable>(_ query: @Sendable (Database) throws -> Value) async throws -> Value {
        try await queue.writeWithoutTransaction(query)
    }

    /// Runs a query, for code that works with callbacks.
    ///
    /// `completion` is called on the connection's dispatch queue.
    func read<Value>(
        _ query: @escaping @Sendable (Database) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        queue.asyncWriteWithoutTransaction { db in
            completion(Result { try query(db) })
        }
    }
}
