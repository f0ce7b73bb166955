import Synchronization

/// A connection to the database, leased for one request.
///
/// May be used from any task of the request; statements take turns. After it was given back it is of no use to anybody.
final class DatabaseClient: Sendable {
    struct GivenBack: Error, CustomStringConvertible {
        let description = "the database client was used after its request gave it back"
    }

    /// The lease's id, which no other lease ever has.
    let id: Int

    /// Whose rows the statements are about.
    let tenant: Tenant?

    let search: TextSearch

    private let connection: any DatabaseConnection
    private let source: any DatabaseClients
    private let writers: Turnstile?
    private let turns: Turnstile
    private let isGivenBack = Atomic(false)

    init(
        id: Int,
        tenant: Tenant?,
        search: TextSearch,
        connection: any DatabaseConnection,
        source: any DatabaseClients,
        writers: Turnstile? = nil,
        turns: Turnstile = Turnstile(places: 1)
    ) {
        self.id = id
        self.tenant = tenant
        self.search = search
        self.connection = connection
        self.source = source
        self.writers = writers
        self.turns = turns
    }

    func giveBack() async {
        await source.giveBack(self)
    }

    /// Runs a statement.
    ///
    /// Inside the request's transaction it sees what the transaction has written. Outside it only reads.
    func query(_ sql: String, _ values: SQLValue...) async throws -> [SQLRow] {
        try await query(sql, values)
    }

    func query(_ sql: String, _ values: [SQLValue]) async throws -> [SQLRow] {
        try await turns.enter()
        defer { turns.leave() }
        try check()
        return try await connection.query(sql, values, for: tenant)
    }

    /// Runs a statement, for code that works with callbacks.
    ///
    /// `completion` is called in a task that belongs to no request.
    func query(_ sql: String, completion: @escaping @Sendable (Result<[SQLRow], any Error>) -> Void) {
        Task.detached {
            do {
                completion(.success(try await self.query(sql)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    func withTransaction<Value>(_ body: (DatabaseTransaction) async throws -> Value) async throws -> Value {
        try await writers?.enter()
        defer { writers?.leave() }
        try await control { try await $0.begin(for: tenant) }
        do {
            let result = try await body(DatabaseTransaction(client: self))
            try await control { try await $0.commit() }
            return result
        } catch {
            // Where this fails too, whoever takes the connection back finds out and closes it.
            try? await control { try await $0.rollback() }
            throw error
        }
    }

    /// Runs `body` in a part of the open transaction: keeps it when it returns, undoes it when it throws.
    func withSavepoint<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await control { try await $0.run(.begin) }
        do {
            let result = try await body()
            try await control { try await $0.run(.keep) }
            return result
        } catch {
            try await control { try await $0.run(.undo) }
            throw error
        }
    }

    /// Begins or ends a transaction or a part of one, whether the task is cancelled or not.
    private func control(_ statement: (any DatabaseConnection) async throws -> Void) async throws {
        await turns.enterUncancelled()
        defer { turns.leave() }
        try check()
        try await statement(connection)
    }

    private func check() throws(GivenBack) {
        if isGivenBack.load(ordering: .acquiring) { throw GivenBack() }
    }

    /// Ends the lease when the statement that runs has ended.
    func end() async -> any DatabaseConnection {
        await turns.enterUncancelled()
        defer { turns.leave() }
        isGivenBack.store(true, ordering: .releasing)
        return connection
    }
}
