import GRDB
import Testing

@testable import NotesApp

@Suite(.timeLimit(.minutes(1)))
struct ConnectionPoolTests {
    private func withPool(connections: Int, _ body: (ConnectionPool) async throws -> Void) async throws {
        let file = try DatabaseFile(nil)
        defer { file.removeIfTemporary() }
        let pool = try ConnectionPool(path: file.path, connections: connections)
        defer { pool.close() }
        try await body(pool)
    }

    @Test("A connection that comes back in a transaction is rolled back and leased again")
    func rollback() async throws {
        try await withPool(connections: 1) { pool in
            let first = try await pool.lease()
            try await first.queue.writeWithoutTransaction { db in
                try db.execute(sql: "BEGIN; INSERT INTO note (tenant, title, body) VALUES ('a', 'b', 'c')")
            }
            await first.giveBack()
            let second = try await pool.lease()
            #expect(second.id == first.id + 1)
            #expect(second.queue === first.queue)
            let isClean = try await second.read { db in
                try !db.isInsideTransaction && Int.fetchOne(db, sql: "SELECT COUNT(*) FROM note") == 0
            }
            #expect(isClean)
            await second.giveBack()
        }
    }

    @Test("A task that is cancelled while it waits for a lease stops waiting and takes none")
    func cancelledWait() async throws {
        try await withPool(connections: 1) { pool in
            let held = try await pool.lease()
            let waiting = Task { try await pool.lease() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            await held.giveBack()
            let next = try await pool.lease()
            await next.giveBack()
        }
    }

    @Test("A transaction commits when its body returns and rolls back when it throws, in a cancelled task too")
    func cancelledTransaction() async throws {
        struct Failure: Error {}
        try await withPool(connections: 2) { pool in
            let client = try await pool.lease()
            let sql = "INSERT INTO note (tenant, title, body) VALUES ('a', 'b', 'c')"
            for isFailing in [false, true] {
                let work = Task {
                    try await client.withTransaction { transaction in
                        try await transaction.write { db in try db.execute(sql: sql) }
                        withUnsafeCurrentTask { $0?.cancel() }
                        if isFailing { throw Failure() }
                    }
                }
                let result = await work.result
                #expect((try? result.get()) == nil ? isFailing : !isFailing)
            }
            let state = try await client.read { db in
                try (db.isInsideTransaction, Int.fetchOne(db, sql: "SELECT COUNT(*) FROM note"))
            }
            #expect(!state.0)
            #expect(state.1 == 1)
            await client.giveBack()
        }
    }

    @Test("A writer waits for its turn outside SQLite, and stops waiting when it is cancelled")
    func writersTakeTurns() async throws {
        try await withPool(connections: 2) { pool in
            let (first, second) = try await (pool.lease(), pool.lease())
            try await first.withTransaction { _ in
                let waiting = Task { try await second.withTransaction { _ in } }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
            }
            try await second.withTransaction { _ in }
            await first.giveBack()
            await second.giveBack()
        }
    }

    @Test("Places are given in the order of asking")
    func order() async throws {
        let turnstile = Turnstile(places: 1)
        try await turnstile.enter()
        let (entered, entry) = AsyncStream.makeStream(of: Int.self)
        for number in 1...10 {
            // An immediate task has asked for its place when the next one starts.
            Task.immediate {
                try await turnstile.enter()
                entry.yield(number)
                turnstile.leave()
            }
        }
        turnstile.leave()
        var order: [Int] = []
        for await number in entered.prefix(10) { order.append(number) }
        #expect(order == Array(1...10))
    }

    @Test("If no connection comes free, the answer is a clear 503 and not a wait without end")
    func exhausted() async throws {
        try await withNotesService { client, service in
            var leases: [DatabaseClient] = []
            for _ in 1...8 { leases.append(try await service.pool.lease()) }
            let reply = try await client.get("/api/notes")
            #expect(reply.status == 503)
            #expect(try reply.errorMessage().contains("busy"))
            #expect(reply.requestID != nil)
            #expect(reply.client == nil)
            for lease in leases { await lease.giveBack() }
            #expect(try await client.get("/api/notes").status == 200)
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }
}
