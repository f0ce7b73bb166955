import Foundation

@testable import NotesApp

/// What the tests run on: `Scripts/test` runs them on each.
enum TestDatabase: String {
    case sqlite
    case postgres
    case pgbouncer

    static let current: TestDatabase =
        ProcessInfo.processInfo.environment["NOTES_TEST_DATABASE"].map { name in
            guard let database = TestDatabase(rawValue: name) else { fatalError("NOTES_TEST_DATABASE is \(name)") }
            return database
        } ?? .sqlite

    static var isPostgres: Bool { current != .sqlite }
}

/// The servers that `Scripts/test` has started.
enum PostgresServer {
    /// Without a database's name.
    static let url = required("NOTES_TEST_POSTGRES")
    private static let bouncer = required("NOTES_TEST_PGBOUNCER")

    private static func required(_ name: String) -> String {
        guard let value = ProcessInfo.processInfo.environment[name] else { fatalError("\(name) is not set") }
        return value
    }

    /// The URL that the application gets: that of a user who owns nothing, through PgBouncer or not.
    static func servingURL(_ database: String, port: Int? = nil) -> String {
        var url = URLComponents(string: (TestDatabase.current == .pgbouncer ? bouncer : self.url) + "/" + database)!
        url.user = "notes_login"
        if let port { url.port = port }
        return url.string!
    }

    static var servingPort: Int { URLComponents(string: servingURL("x"))!.port! }

    /// Runs a statement as the superuser.
    @discardableResult
    static func run(_ sql: String, in database: String = "postgres") async throws -> [SQLRow] {
        let connection = try await PostgresConnection(url: "\(url)/\(database)")
        let rows = try await connection.execute(sql).rows
        await connection.close()
        return rows
    }

    /// A fresh database with the application's tables.
    static func withDatabase<Result>(_ body: (_ name: String) async throws -> Result) async throws -> Result {
        let name = "notes_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
        try await run("CREATE DATABASE \(name)")
        let owner = try await PostgresConnection(url: "\(url)/\(name)")
        try await PostgresSchema.create(on: owner)
        await owner.close()
        try await makeLogin()
        let result: Result
        do {
            result = try await body(name)
        } catch {
            try? await drop(name)
            throw error
        }
        try await drop(name)
        return result
    }

    private static func makeLogin() async throws {
        let isThere = try await !run("SELECT 1 FROM pg_roles WHERE rolname = 'notes_login'").isEmpty
        if !isThere { try await run("CREATE ROLE notes_login LOGIN IN ROLE notes_app NOINHERIT") }
    }

    private static func drop(_ name: String) async throws {
        try await run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    /// Restarts the server: every connection to it ends.
    static func restart() async throws {
        let command = required("NOTES_TEST_POSTGRES_RESTART").split(separator: " ").map(String.init)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { process in continuation.resume(returning: process.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        guard status == 0 else { throw CannotRestart(status: status) }
    }

    struct CannotRestart: Error { let status: Int32 }
}

/// Settings with a database of their own.
func withDatabase<Result>(_ body: (NotesSettings.Database) async throws -> Result) async throws -> Result {
    guard TestDatabase.isPostgres else { return try await body(.sqlite(path: nil)) }
    return try await PostgresServer.withDatabase { name in
        try await body(.postgres(url: PostgresServer.servingURL(name)))
    }
}

/// A pool on a database of its own.
func withPool<Result>(connections: Int, _ body: (ConnectionPool) async throws -> Result) async throws -> Result {
    try await withDatabase { settings in
        let file: DatabaseFile?
        let database: any Database
        switch settings {
        case .sqlite(let path):
            let temporary = try DatabaseFile(path)
            file = temporary
            database = try SQLiteDatabase(path: temporary.path)
        case .postgres(let url):
            file = nil
            database = try await PostgresDatabase(url: url)
        }
        defer { file?.removeIfTemporary() }
        let pool = ConnectionPool(database, connections: connections)
        let result = try await body(pool)
        await pool.close()
        return result
    }
}
