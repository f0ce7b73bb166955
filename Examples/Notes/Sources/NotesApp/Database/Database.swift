/// What connections are made to.
protocol Database: Sendable {
    /// Makes a connection.
    func connect() async throws -> any DatabaseConnection

    /// The turns of those who write, if the database has only one writer at a time.
    var writers: Turnstile? { get }

    /// How words are searched for: what is not the same SQL everywhere.
    var search: TextSearch { get }
}

/// The steps of a part of a transaction that may be undone on its own, as SQL has them.
enum Savepoint: String, Sendable {
    case begin = "SAVEPOINT part"
    case keep = "RELEASE SAVEPOINT part"
    case undo = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part"
}

/// A connection to a database: one statement at a time, one transaction at a time.
///
/// A task that is cancelled breaks off a statement. Beginning and ending a transaction always goes to its end.
protocol DatabaseConnection: Sendable {
    /// Begins a transaction in which `tenant` is the one that `current_tenant()` names; all or nothing.
    func begin(for tenant: Tenant?) async throws

    /// Throws unless what was written is stored.
    func commit() async throws

    /// Does nothing outside a transaction.
    func rollback() async throws

    /// Begins or ends a part of the open transaction; throws where none is open.
    func run(_ step: Savepoint) async throws

    /// Runs a statement: in the open transaction, or else in one of its own that only reads.
    func query(_ sql: String, _ values: [SQLValue], for tenant: Tenant?) async throws -> [SQLRow]

    /// Whether an idle connection is still connected.
    var isAlive: Bool { get async }

    /// Whether the next user can be given the connection: outside a transaction, and nothing on it broke off.
    var isClean: Bool { get async }

    func close() async
}
