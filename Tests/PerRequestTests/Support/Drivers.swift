import PerRequest

/// Connections with the shapes that drivers have; each tells what it is sent.
protocol Connection: Sendable {
    var journal: Journal { get }
}

extension Connection {
    /// What a database does that is told to begin twice: nothing, and the first COMMIT ends both.
    fileprivate func send(_ statement: String) { journal.note(statement) }
}

/// libpq behind an actor: what begins and ends a transaction is a method of the connection.
actor PlainConnection: Connection {
    nonisolated let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    nonisolated func withTransaction<Value>(_ body: (PlainTransaction) async throws -> Value) async throws -> Value {
        try await bracket("BEGIN", "COMMIT", "ROLLBACK") { try await body(PlainTransaction(connection: self)) }
    }
}

struct PlainTransaction: Sendable {
    let connection: PlainConnection

    func insert(_ row: String) { connection.journal.note("insert \(row)") }

    /// A part of the transaction that can be undone on its own.
    func withSavepoint<Value>(_ body: (PlainTransaction) async throws -> Value) async throws -> Value {
        try await connection.bracket("SAVEPOINT", "RELEASE", "ROLLBACK TO") { try await body(self) }
    }
}

/// PostgresNIO: inherits the caller's isolation, and the transaction is the connection.
final class IsolatedConnection: Connection {
    let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    func withTransaction<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (IsolatedConnection) async throws -> sending Result
    ) async throws -> sending Result {
        send("BEGIN")
        do {
            let result = try await body(self)
            send("COMMIT")
            return result
        } catch {
            send("ROLLBACK")
            throw error
        }
    }
}

/// GRDB: a queue whose function returns nothing and takes a closure that leaves the task's isolation.
final class QueuedConnection: Connection {
    let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    func transaction(_ body: @Sendable (QueuedConnection) async throws -> Void) async throws {
        try await bracket("BEGIN", "COMMIT", "ROLLBACK") { try await body(self) }
    }
}

extension Connection {
    fileprivate func bracket<Value>(
        _ begin: String,
        _ commit: String,
        _ rollback: String,
        _ body: () async throws -> Value
    ) async throws -> Value {
        send(begin)
        do {
            let value = try await body()
            send(commit)
            return value
        } catch {
            send(rollback)
            throw error
        }
    }
}

extension PlainConnection {
    /// A connection for each store that acquires it.
    static func resource(_ journal: Journal) -> RequestResource<PlainConnection> {
        RequestResource("connection") {
            journal.note("connect")
            return PlainConnection(journal)
        } release: { _, _ in
            journal.note("disconnect")
        }
    }
}
