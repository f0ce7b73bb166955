import PerRequest
import Testing

@testable import NotesApp

@Suite(.timeLimit(.minutes(1)))
struct ConnectionPoolTests {
    private static let insert = "INSERT INTO note (tenant, title, body) VALUES (current_tenant(), 'b', 'c')"

    private func titles(_ client: DatabaseClient) async throws -> Int64 {
        try await client.query("SELECT COUNT(*) FROM note")[0].integer(0)
    }

    @Test("A clean connection is leased again, under another id")
    func reuse() async throws {
        try await withPool(connections: 1) { pool in
            let first = try await pool.lease(for: .public)
            try await first.withTransaction { transaction in _ = try await transaction.query(Self.insert) }
            let connection = await first.end()
            await first.giveBack()
            let second = try await pool.lease(for: .public)
            #expect(second.id == first.id + 1)
            #expect(try await titles(second) == 1)
            let isSame = await second.end() as AnyObject === connection as AnyObject
            #expect(isSame)
            await second.giveBack()
        }
    }

    @Test("A connection that comes back in a transaction is closed, and what was written is gone")
    func dirty() async throws {
        try await withPool(connections: 1) { pool in
            let first = try await pool.lease(for: .public)
            let connection = await first.end()
            try await connection.begin(for: .public)
            _ = try await connection.query(Self.insert, [], for: .public)
            await first.giveBack()
            let second = try await pool.lease(for: .public)
            #expect(try await titles(second) == 0)
            let isAnother = await second.end() as AnyObject !== connection as AnyObject
            #expect(isAnother)
            await second.giveBack()
        }
    }

    @Test("A client that was given back is of no use, not even to its own request")
    func givenBack() async throws {
        try await withPool(connections: 1) { pool in
            let first = try await pool.lease(for: .public)
            await first.giveBack()
            let second = try await pool.lease(for: .public)
            await #expect(throws: DatabaseClient.GivenBack.self) { try await first.query("SELECT 1") }
            await #expect(throws: DatabaseClient.GivenBack.self) { try await first.withTransaction { _ in } }
            await second.giveBack()
        }
    }

    @Test("A task that is cancelled while it waits for a lease stops waiting and takes none")
    func cancelledWait() async throws {
        try await withPool(connections: 1) { pool in
            let held = try await pool.lease(for: .public)
            let waiting = Task { try await pool.lease(for: .public) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            await held.giveBack()
            let next = try await pool.lease(for: .public)
            await next.giveBack()
        }
    }

    @Test("A transaction commits when its body returns and rolls back when it throws, in a cancelled task too")
    func cancelledTransaction() async throws {
        struct Failure: Error {}
        try await withPool(connections: 2) { pool in
            let client = try await pool.lease(for: .public)
            for isFailing in [false, true] {
                let work = Task {
                    try await client.withTransaction { transaction in
                        _ = try await transaction.query(Self.insert)
                        withUnsafeCurrentTask { $0?.cancel() }
                        if isFailing { throw Failure() }
                    }
                }
                let result = await work.result
                #expect((try? result.get()) == nil ? isFailing : !isFailing)
            }
            #expect(try await titles(client) == 1)
            await client.giveBack()
        }
    }

    @Test("What writes outside a transaction throws, and nothing is written")
    func readOnly() async throws {
        try await withPool(connections: 1) { pool in
            let client = try await pool.lease(for: .public)
            await #expect(throws: (any Error).self) { try await client.query(Self.insert) }
            #expect(try await titles(client) == 0)
            await client.giveBack()
        }
    }

    @Test("A statement that was broken off by cancelling its task ends, and the next lease works")
    func cancelledStatement() async throws {
        // One that takes forever, on either database.
        let endless =
            TestDatabase.isPostgres
            ? "SELECT pg_sleep(3600)"
            : "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
        try await withPool(connections: 1) { pool in
            for delay in [0, 1, 20] {
                let client = try await pool.lease(for: .public)
                let work = Task { try await client.query(endless) }
                // Before it is sent, just sent, running: each has to end.
                try await Task.sleep(for: .milliseconds(delay))
                work.cancel()
                await #expect(throws: CancellationError.self) { try await work.value }
                await client.giveBack()
                let next = try await pool.lease(for: .public)
                #expect(try await titles(next) == 0)
                await next.giveBack()
            }
        }
    }

    @Test(
        "SQLite: a writer waits for its turn outside it, and stops waiting when it is cancelled",
        .enabled(if: !TestDatabase.isPostgres)
    )
    func writersTakeTurns() async throws {
        try await withPool(connections: 2) { pool in
            let (first, second) = try await (pool.lease(for: .public), pool.lease(for: .public))
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
                if number.isMultiple(of: 2) { try await turnstile.enter() } else { await turnstile.enterUncancelled() }
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
            for _ in 1...8 { leases.append(try await service.database.lease(for: .public)) }
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

    @Test("Connection and transaction are one lease: 20 requests at once on a pool of 1 all end")
    func noDeadlock() async throws {
        try await withPool(connections: 1) { pool in
            try await withThrowingTaskGroup { group in
                for number in 1...20 {
                    group.addTask {
                        try await withRequestStore { _ in
                            try Current.database.set(pool)
                            // Either may come first.
                            if number.isMultiple(of: 2) { _ = try await Current.client.get() }
                            _ = try await Current.transaction.get().query(Self.insert)
                            _ = try await NotesRepository.all()
                        }
                    }
                }
                try await group.waitForAll()
            }
            let client = try await pool.lease(for: .public)
            #expect(try await titles(client) == 20)
            await client.giveBack()
        }
    }

    /// A second connection for a request: what a pool deadlocks on.
    private static let second = RequestResource("second", limits: .init(acquire: .milliseconds(200))) {
        try await Current.database.require().lease(for: .public)
    } release: { client, _ in
        await client.giveBack()
    }

    @Test("Requests that hold a connection and want another wait for a bounded time, and no lease is lost")
    func secondConnection() async throws {
        try await withPool(connections: 2) { pool in
            let (held, hold) = AsyncStream.makeStream(of: Void.self)
            let requests = (1...2).map { _ in
                let (go, start) = AsyncStream.makeStream(of: Void.self)
                let request = Task {
                    try await withRequestStore { _ in
                        try Current.database.set(pool)
                        _ = try await Current.client.get()
                        hold.yield()
                        for await _ in go { break }
                        _ = try await Self.second.get()
                    }
                }
                return (request, start)
            }
            var all = held.makeAsyncIterator()
            for _ in requests { await all.next() }
            for (_, start) in requests { start.yield() }
            // The first to give up may make way for the other one.
            var errors: [String] = []
            for (request, _) in requests {
                do { try await request.value } catch { errors.append("\(error)") }
            }
            #expect((1...2).contains(errors.count))
            for error in errors { #expect(error.contains("\"second\"")) }
            // Both connections are there again.
            let leases = try await [pool.lease(for: .public), pool.lease(for: .public)]
            for lease in leases { await lease.giveBack() }
        }
    }
}
