import GRDB
import Hummingbird
import Logging
import PerRequest
import PerRequestHummingbird
import Synchronization

/// What belongs to the request that is being served.
enum Current {
    static let pool = RequestLocal<Pool?>("pool")
    static let user = RequestLocal<User?>("user")
    static let mailer = RequestLocal("mailer", default: Mailer { Logger.current.info("Mail for \($1.name): \($0)") })

    static let connection = RequestResource("connection") {
        try pool.require().lease()
    } release: { connection, _ in
        try await pool.require().giveBack(connection)
    }

    static let transaction = RequestResource.around(
        "transaction",
        on: connection,
        released: .beforeResponse
    ) { connection, use in
        try await connection.withTransaction { transaction in try await use(transaction) }
    }

    static let userByID = RequestMemo("userByID") { (id: User.ID) in
        try await connection.get().read { db in try User.fetchOne(db, key: id) }
    }
}

struct User: Codable, Identifiable, FetchableRecord, TableRecord { let id: Int, name: String }
struct Note: Codable, FetchableRecord, PersistableRecord { let userID: User.ID, text: String }
struct Mailer { let send: @Sendable (_ text: String, _ user: User) async throws -> Void }
struct TooManyNotes: Error {}

@main
enum Hello {
    static func main() async throws {
        try await application(on: Pool(path: "hello.sqlite")).runService()
    }

    static func application(on pool: Pool) -> some ApplicationProtocol {
        let router = RequestStoreRouter()
        router.add(middleware: Entrance(pool: pool))
        router.get("notes", use: page)
        router.post("notes", use: create)
        return Application(router: router, requestStore: .http1(background: BackgroundWork()))
    }

    /// Commits before the response's head is written, and sends the mail after the response.
    static func create(_ request: Request, _: BasicRequestContext) async throws -> HTTPResponse.Status {
        let user = try Current.user.require(or: HTTPError(.unauthorized))
        let note = Note(userID: user.id, text: String(buffer: try await request.body.collect(upTo: 1_000)))
        try await Current.transaction.get().write { db in try note.insert(db) }
        try RequestStore.afterResponse("mail") { try await Current.mailer.value.send(note.text, user) }
        let count = try await Current.connection.get().read { db in
            try Note.filter(Column("userID") == user.id).fetchCount(db)
        }
        guard count <= 3 else { throw TooManyNotes() }  // no note and no mail then, whatever answers it
        return .created
    }

    /// A page that is written after this has returned, and acquires the connection then.
    static func page(_: Request, _: BasicRequestContext) -> Response {
        Response(
            status: .ok,
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: "Hello \(Current.user.value?.name ?? "stranger")\n"))
                for note in try await Current.connection.get().read({ db in try Note.fetchAll(db) }) {
                    let user = try await Current.userByID(note.userID)  // asked for once for each user
                    try await writer.write(ByteBuffer(string: "\(user?.name ?? "somebody"): \(note.text)\n"))
                }
                try await writer.finish(nil)
            }
        )
    }
}

/// Sets what a request has, and answers an error of its route.
struct Entrance: RouterMiddleware {
    let pool: Pool

    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        try Current.pool.set(pool)
        if let id = request.headers[.authorization].flatMap(User.ID.init) {  // a token, in earnest
            try await Current.user.set(Current.userByID(id))
        }
        do {
            return try await next(request, context)
        } catch is TooManyNotes {
            return Response(status: .conflict)
        }
    }
}

private let schema = """
    CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT OR IGNORE INTO user VALUES (1, 'Alice'), (2, 'Bob');
    CREATE TABLE IF NOT EXISTS note (userID NOT NULL REFERENCES user DEFERRABLE INITIALLY DEFERRED, text NOT NULL);
    """

/// The connections to an SQLite file that no request has.
final class Pool: Sendable {
    private let path: String
    private let idle = Mutex<[DatabaseQueue]>([])

    /// Opens the file and makes its tables.
    init(path: String) throws {
        self.path = path
        let connection = try lease()
        try connection.write { db in try db.execute(sql: schema) }
        idle.withLock { $0.append(connection) }
    }

    func lease() throws -> DatabaseQueue {
        if let connection = idle.withLock({ $0.popLast() }) { return connection }
        var configuration = Configuration()
        configuration.journalMode = .wal  // those who read and the one who writes do not wait for each other
        configuration.allowsUnsafeTransactions = true  // that is, one which is longer than a closure
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// One that could not end its transaction is not kept: it is closed, which does.
    func giveBack(_ connection: DatabaseQueue) async {
        if (try? await connection.run { db in db.isInsideTransaction }) == false {
            idle.withLock { $0.append(connection) }
        }
    }
}

extension DatabaseQueue {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// `read` sees what it wrote. Cancelling the task ends the wait for another writer, and nothing else: the transaction ends as `body` does.
    func withTransaction<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
        while true {
            do {
                try await run { db in try db.beginTransaction(.immediate) }
                break
            } catch DatabaseError.SQLITE_BUSY {
                try await Task.sleep(for: .milliseconds(2))  // SQLite's own wait would block a thread
            }
        }
        do {
            let value = try await body(Transaction(connection: self))
            try await run { db in try db.commit() }
            return value
        } catch {
            try? await run { db in if db.isInsideTransaction { try db.rollback() } }
            throw error
        }
    }

    /// Runs `body`, also in a task that is cancelled, in which GRDB's own async functions would not even roll back.
    func run<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            asyncWriteWithoutTransaction { db in continuation.resume(with: Result { try body(db) }) }
        }
    }
}

/// An open transaction: what writes.
struct Transaction {
    fileprivate let connection: DatabaseQueue

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await connection.run { db in
            // Where SQLite has ended it, on a full disk for example, what follows would commit by itself.
            guard db.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
            return try body(db)
        }
    }
}
