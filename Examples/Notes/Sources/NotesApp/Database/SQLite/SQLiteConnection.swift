import GRDB
import Synchronization

/// A connection to an SQLite database, through GRDB.
final class SQLiteConnection: DatabaseConnection {
    let queue: DatabaseQueue
    private let tenant: CurrentTenant

    init(path: String) throws {
        let tenant = CurrentTenant()
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        // A transaction lasts from the first write of a request to its response: many accesses to the connection.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { db in
            db.add(function: DatabaseFunction("current_tenant", argumentCount: 0) { _ in tenant.name })
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
        self.tenant = tenant
    }

    func begin(for tenant: Tenant?) async throws {
        try await control { db in
            try db.beginTransaction(.immediate)
            self.tenant.name = tenant?.name
        }
    }

    func commit() async throws {
        try await control { db in try db.commit() }
    }

    func rollback() async throws {
        try await control { db in
            if db.isInsideTransaction { try db.rollback() }
        }
    }

    func run(_ step: Savepoint) async throws {
        try await control { db in
            // One that it has given up is not begun again by a savepoint.
            guard db.isInsideTransaction else { throw NoTransaction() }
            try db.execute(sql: step.rawValue)
        }
    }

    struct NoTransaction: Error {}

    func query(_ sql: String, _ values: [SQLValue], for tenant: Tenant?) async throws -> [SQLRow] {
        let arguments = StatementArguments(values.map(\.databaseValue))
        return try await queue.writeWithoutTransaction { [tenant = self.tenant, name = tenant?.name] db in
            if db.isInsideTransaction { return try Self.rows(of: sql, arguments, db) }
            tenant.name = name
            return try db.readOnly { try Self.rows(of: sql, arguments, db) }
        }
    }

    private static func rows(of sql: String, _ arguments: StatementArguments, _ db: GRDB.Database) throws -> [SQLRow] {
        try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
            SQLRow(values: try row.databaseValues.map(SQLValue.init))
        }
    }

    /// A file does not go away.
    let isAlive = true

    var isClean: Bool {
        get async { (try? await control { db in !db.isInsideTransaction }) ?? false }
    }

    func close() async {
        try? queue.close()
    }

    /// Begins or ends a transaction, or asks for it.
    ///
    /// Cancelling the task does not stop it half-way, unlike GRDB's async functions.
    private func control<Value: Sendable>(
        _ statement: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.asyncWriteWithoutTransaction { db in
                continuation.resume(with: Result { try statement(db) })
            }
        }
    }
}

/// What the SQL function `current_tenant()` says.
private final class CurrentTenant: Sendable {
    private let value = Mutex<String?>(nil)

    var name: String? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

extension SQLValue {
    fileprivate init(_ value: DatabaseValue) throws {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        case .double, .blob: throw SQLRow.UnexpectedValue(description: "no column is of the type of \(value)")
        }
    }

    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .text(let value): value.databaseValue
        }
    }
}
