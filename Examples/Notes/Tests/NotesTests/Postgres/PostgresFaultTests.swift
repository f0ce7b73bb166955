import Foundation
import HTTPTypes
import Hummingbird
import PerRequest
import Synchronization
import Testing

@testable import NotesApp

@Suite("PostgreSQL faults", .timeLimit(.minutes(2)), .enabled(if: TestDatabase.isPostgres))
struct PostgresFaultTests {
    private let note = ["title": "A", "body": "b"]

    /// A pool of one connection, behind a proxy that can hold back the server's answers.
    private func withHeldPool(_ body: (ConnectionPool, HoldingProxy) async throws -> Void) async throws {
        try await PostgresServer.withDatabase { name in
            try await HoldingProxy.run(to: PostgresServer.servingPort) { proxy, port in
                let url = PostgresServer.servingURL(name, port: port)
                let pool = ConnectionPool(try await PostgresDatabase(url: url), connections: 1)
                try await body(pool, proxy)
                await pool.close()
            }
        }
    }

    /// A request that makes a note.
    private func insert(_ pool: ConnectionPool) -> Task<Void, any Error> {
        Task {
            try await withRequestStore { _ in
                try Current.database.set(pool)
                _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "A", body: "b")))
                try Task.checkCancellation()
            }
        }
    }

    private func count(_ pool: ConnectionPool) async throws -> Int {
        try await withRequestStore { _ in
            try Current.database.set(pool)
            return try await NotesRepository.count()
        }
    }

    @Test(
        "Rules 9, 15: a request that is cancelled before its answer comes leaves nothing, and loses no lease",
        // The second statement of the transaction sets the tenant.
        arguments: ["BEGIN", "set_config", "INSERT"]
    )
    func cancelled(at statement: String) async throws {
        try await withHeldPool { pool, proxy in
            for _ in 1...20 {
                proxy.hold(at: statement)
                let request = insert(pool)
                await proxy.untilHeld()
                request.cancel()
                proxy.release()
                await #expect(throws: CancellationError.self) { try await request.value }
                #expect(try await count(pool) == 0)
            }
            try await insert(pool).value
            #expect(try await count(pool) == 1)
        }
    }

    @Test("Rule 17: a request that is cancelled during its COMMIT is committed, and says so")
    func cancelledDuringCommit() async throws {
        try await withHeldPool { pool, proxy in
            for number in 1...20 {
                proxy.hold(at: "COMMIT")
                let request = insert(pool)
                await proxy.untilHeld()
                request.cancel()
                proxy.release()
                try await request.value
                #expect(try await count(pool) == number)
            }
        }
    }

    @Test("A request that is cancelled while its statement runs ends at once, and loses no lease")
    func cancelledDuringQuery() async throws {
        try await withHeldPool { pool, proxy in
            for _ in 1...5 {
                proxy.hold(at: "pg_sleep")
                let request = Task {
                    try await withRequestStore { _ in
                        try Current.database.set(pool)
                        _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "A", body: "b")))
                        _ = try await Current.transaction.get().query("SELECT pg_sleep(3600)")
                    }
                }
                await proxy.untilHeld()
                proxy.release()
                request.cancel()
                await #expect(throws: CancellationError.self) { try await request.value }
                let count = try await count(pool)
                #expect(count == 0)
            }
        }
    }

    @Test("A backend that is killed mid-request gives a 500, and the next request works", arguments: [false, true])
    func terminated(isInTransaction: Bool) async throws {
        try await PostgresServer.withDatabase { name in
            try await withNotesService(on: .postgres(url: PostgresServer.servingURL(name))) { router in
                router.post("slow") { _, _ in
                    if isInTransaction {
                        _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "A", body: "b")))
                    }
                    _ = try await Current.client.get().query("SELECT pg_sleep(3600)")
                    return HTTPResponse.Status.created
                }
            } _: { client, _ in
                for _ in 1...5 {
                    async let reply = client.send(.post, "/slow")
                    try await terminate("query = 'SELECT pg_sleep(3600)' AND state = 'active'", name)
                    #expect(try await reply.status == 500)
                    #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
                }
                #expect(try await client.quietHealth().resources.held == 0)
            }
        }
    }

    @Test(
        "A backend that is killed while its connection is idle, in the pool or in a transaction, costs at most that request"
    )
    func terminatedIdle() async throws {
        try await PostgresServer.withDatabase { name in
            try await withNotesService(on: .postgres(url: PostgresServer.servingURL(name))) { router in
                router.post("killed") { _, _ in
                    _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "A", body: "b")))
                    try await terminate("state = 'idle in transaction'", name)
                    return HTTPResponse.Status.created
                }
            } _: { client, _ in
                for _ in 1...5 {
                    #expect(try await client.send(.post, "/killed").status >= 500)
                    #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
                    // Now those that nobody uses.
                    try await terminate("true", name)
                    try await settle(client)
                    #expect(try await client.get("/api/notes").status == 200)
                }
                #expect(try await client.quietHealth().resources.held == 0)
            }
        }
    }

    /// Lets PgBouncer find out, with the first statement on each, which of its four connections are dead.
    ///
    /// The jobs of the requests before use them, too: they end first.
    private func settle(_ client: NotesClient) async throws {
        guard TestDatabase.current == .pgbouncer else { return }
        _ = try await client.quietHealth()
        var failures = 0
        var successes = 0
        while successes < 4, failures < 8 {
            if try await client.get("/api/notes").status == 200 { successes += 1 } else { failures += 1 }
        }
    }

    /// Kills the backends of `database` for which `condition` holds; waits until there is one, and until they are gone.
    private func terminate(_ condition: String, _ database: String) async throws {
        struct NobodyToKill: Error {}
        let connection = try await PostgresConnection(url: "\(PostgresServer.url)/postgres")
        let kill = """
            SELECT pg_terminate_backend(pid, 5000)::text FROM pg_stat_activity
            WHERE datname = '\(database)' AND \(condition)
            """
        let deadline = ContinuousClock.now + .seconds(30)
        while try await connection.execute(kill).rows.isEmpty {
            if ContinuousClock.now > deadline { throw NobodyToKill() }
        }
        await connection.close()
    }

    @Test("The server restarts under load: what was promised is there, no lease is lost, and the next request works")
    func restart() async throws {
        try await withNotes { client in
            let answers = Answers()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...16 {
                    group.addTask {
                        while !Task.isCancelled {
                            do {
                                answers.add(try await client.post("/api/notes", json: note).status)
                            } catch {
                                if !Task.isCancelled { Issue.record(error) }
                            }
                        }
                    }
                }
                for _ in 1...3 {
                    let before = answers.counts[201, default: 0]
                    while answers.counts[201, default: 0] < before + 100 {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    try await PostgresServer.restart()
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            let counts = answers.counts
            #expect(Set(counts.keys).isSubset(of: [201, 500, 503]))
            try await settle(client)
            #expect(try await client.get("/api/notes").status == 200)
            let count = try await client.get("/events?count=1").body
            let stored = try #require(Int(count.filter(\.isNumber)))
            // A commit whose answer was lost may have happened; one that was promised has.
            #expect(stored >= counts[201, default: 0])
            #expect(try await client.post("/api/notes", json: note).status == 201)
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }

    /// The responses so far, by status.
    private final class Answers: Sendable {
        private let state = Mutex<[Int: Int]>([:])

        var counts: [Int: Int] { state.withLock { $0 } }

        func add(_ status: Int) {
            state.withLock { $0[status, default: 0] += 1 }
        }
    }

    @Test("While the server cannot be reached the answer is a 503, and no lease is lost")
    func unreachable() async throws {
        let closed = ConnectionPool(Unreachable(), connections: 1)
        for _ in 1...3 {
            do {
                _ = try await closed.lease(for: .public)
                Issue.record("there is no such server")
            } catch {
                #expect(ErrorReply(error).status == .serviceUnavailable)
            }
        }
    }

    private struct Unreachable: Database {
        let writers: Turnstile? = nil
        let search = TextSearch(index: "", find: "", pattern: { $0 })

        func connect() async throws -> any DatabaseConnection {
            try await PostgresConnection(url: "postgresql://nobody@127.0.0.1:1/nothing")
        }
    }

    @Test("More requests than connections: all are served")
    func moreRequestsThanConnections() async throws {
        try await withNotes { client in
            try await withThrowingTaskGroup { group in
                for _ in 1...100 {
                    group.addTask {
                        let (made, me) = try await (
                            client.post("/api/notes", json: note), client.get("/whoami")
                        )
                        #expect(made.status == 201 && me.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.get("/events?count=1").body == "data: 100\n\n")
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }
}
