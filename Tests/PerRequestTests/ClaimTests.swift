import PerRequest
import Testing

@Suite("What is made on a resource has it for itself (rule 11)")
struct ClaimTests {
    private struct Keys {
        let connection: RequestResource<PlainConnection>
        let transaction: RequestResource<PlainTransaction>
        let savepoint: RequestResource<PlainTransaction>

        init(_ journal: Journal) {
            let connection = PlainConnection.resource(journal)
            let transaction = RequestResource.around(
                "transaction",
                on: connection,
                released: .beforeResponse
            ) { connection, use in
                try await connection.withTransaction { transaction in try await use(transaction) }
            }
            self.connection = connection
            self.transaction = transaction
            savepoint = .around("savepoint", on: transaction, released: .beforeResponse) { transaction, use in
                try await transaction.withSavepoint { savepoint in try await use(savepoint) }
            }
        }
    }

    @Test("Rule 11: it reads well on a connection behind an actor", arguments: [true, false])
    func plain(succeeds: Bool) async throws {
        let journal = Journal()
        let keys = Keys(journal)
        try? await withRequestStore { _ in
            try await keys.transaction.get().insert("row")
            if !succeeds { throw TestError() }
        }
        let end = succeeds ? "COMMIT" : "ROLLBACK"
        #expect(journal.entries == ["connect", "BEGIN", "insert row", end, "disconnect"])
    }

    @Test("Rule 11: it reads well on a connection that inherits the caller's isolation")
    func isolated() async throws {
        let journal = Journal()
        let connection = RequestResource("connection") {
            IsolatedConnection(journal)
        } release: { _, _ in
        }
        let transaction = RequestResource.around(
            "transaction",
            on: connection,
            released: .beforeResponse
        ) { connection, use in
            try await connection.withTransaction { transaction in try await use(transaction) }
        }
        try await withRequestStore { _ in _ = try await transaction.get() }
        #expect(journal.entries == ["BEGIN", "COMMIT"])
    }

    @Test("Rule 11: it reads well on a function that returns nothing")
    func queued() async throws {
        let journal = Journal()
        let connection = RequestResource("connection") {
            QueuedConnection(journal)
        } release: { _, _ in
        }
        let transaction = RequestResource.around(
            "transaction",
            on: connection,
            released: .beforeResponse
        ) { connection, use in
            try await connection.transaction { transaction in _ = try await use(transaction) }
            return use.receipt()
        }
        try await withRequestStore { _ in _ = try await transaction.get() }
        #expect(journal.entries == ["BEGIN", "COMMIT"])
    }

    @Test("Rule 11: a second claim while the first lives is refused")
    func second() async throws {
        let journal = Journal()
        let keys = Keys(journal)
        let audit = RequestResource.around("audit", on: keys.connection) { connection, use in
            try await connection.withTransaction { transaction in try await use(transaction) }
        }
        try await withRequestStore { _ in
            _ = try await keys.transaction.get()
            #expect(await reason { try await audit.get() }?.name == "claimed")
        }
        #expect(journal.entries == ["connect", "BEGIN", "COMMIT", "disconnect"])
    }

    @Test("Rule 11: two at once: one has it, the other one is refused")
    func race() async throws {
        for _ in 0..<50 {
            let journal = Journal()
            let keys = Keys(journal)
            let audit = RequestResource.around(
                "audit",
                on: keys.connection,
                released: .beforeResponse
            ) { connection, use in
                try await connection.withTransaction { transaction in try await use(transaction) }
            }
            try await withRequestStore { _ in
                async let first = Result { try await keys.transaction.get() }
                async let second = Result { try await audit.get() }
                let results = await [first, second]
                #expect(results.count { (try? $0.get()) != nil } == 1)
            }
            #expect(journal.entries == ["connect", "BEGIN", "COMMIT", "disconnect"])
        }
    }

    @Test("Rule 11: a child that owns the transaction only is refused one on the request's connection")
    func childOnTheSame() async throws {
        let journal = Journal()
        let keys = Keys(journal)
        await #expect(throws: TestError()) {
            try await withRequestStore { _ in
                try await keys.transaction.get().insert("row")
                try await withRequestStore(.child(owning: keys.transaction)) { _ in
                    #expect(await reason { try await keys.transaction.get() }?.name == "claimed")
                }
                throw TestError()
            }
        }
        // The row is gone: nothing has committed the request's transaction.
        #expect(journal.entries == ["connect", "BEGIN", "insert row", "ROLLBACK", "disconnect"])
    }

    @Test("Rule 11: a child that owns the connection as well has a transaction that is independent")
    func childWithItsOwn() async throws {
        let journal = Journal()
        let keys = Keys(journal)
        await #expect(throws: TestError()) {
            try await withRequestStore { _ in
                try await keys.transaction.get().insert("row")
                try await withRequestStore(.child(owning: keys.connection, keys.transaction)) { _ in
                    try await keys.transaction.get().insert("audit")
                }
                throw TestError()
            }
        }
        #expect(
            journal.entries == [
                "connect", "BEGIN", "insert row", "connect", "BEGIN", "insert audit", "COMMIT", "disconnect",
                "ROLLBACK", "disconnect",
            ]
        )
    }

    @Test("Rule 11: a savepoint that a child owns undoes its part alone, and keeps work of it from running later")
    func savepoints() async throws {
        let journal = Journal()
        let keys = Keys(journal)
        try await withRequestStore { _ in
            for row in ["a", "b", "c"] {
                try? await withRequestStore(.child(owning: keys.savepoint)) { _ in
                    try await keys.savepoint.get().insert(row)
                    try RequestStore.afterResponse("index") { journal.note("index \(row)") }
                    if row == "b" { throw TestError() }
                }
            }
        }
        #expect(
            journal.entries == [
                "connect", "BEGIN", "SAVEPOINT", "insert a", "RELEASE", "SAVEPOINT", "insert b", "ROLLBACK TO",
                "SAVEPOINT", "insert c", "RELEASE", "COMMIT", "disconnect", "index a", "index c",
            ]
        )
    }

    @Test("Rule 11: while it is claimed it can be read and used, and not had for itself")
    func whileClaimed() async throws {
        let keys = Keys(Journal())
        try await withRequestStore { _ in
            let transaction = try await keys.transaction.get()
            let connection = try await keys.connection.get()
            #expect(connection === transaction.connection)
            let used = try await keys.connection.use { $0 }
            #expect(used === connection)
            #expect(await reason { try await keys.connection.useExclusively { _ in } }?.name == "claimed")
        }
    }

    @Test("Rule 11: a claim waits for a body that has it for itself, and is refused to what waits in there")
    func turns() async throws {
        let keys = Keys(Journal())
        try await withRequestStore { _ in
            let hasIt = Signal()
            let mayEnd = Signal()
            async let body: Void = keys.connection.useExclusively { _ in
                hasIt.fire()
                await mayEnd.wait()
            }
            await hasIt.wait()
            let transaction = Task.immediate { try await keys.transaction.get() }
            #expect(keys.transaction.valueIfHeld == nil)
            mayEnd.fire()
            try await body
            _ = try await transaction.value
            #expect(await reason { try await keys.connection.useExclusively { _ in } }?.name == "claimed")
        }
        try await withRequestStore { _ in
            try await keys.connection.useExclusively { _ in
                let reason = await reason { try await keys.transaction.get() }
                #expect(["inUse", "deadlock"].contains(reason?.name))
            }
        }
    }

    @Test("Rule 11: a claim ends with what made it, which may be an attempt that failed")
    func failedAttempt() async throws {
        let keys = Keys(Journal())
        let broken = RequestResource<Int>.around("broken", on: keys.connection) { _, _ in throw TestError() }
        try await withRequestStore { _ in
            await #expect(throws: TestError()) { try await broken.get() }
            _ = try await keys.transaction.get()
        }
    }

    @Test("Rule 11: an early release of the connection ends the transaction on it first, with the same verdict")
    func earlyRelease() async throws {
        let journal = Journal()
        let keys = Keys(journal)
        try await withRequestStore { _ in
            try await keys.transaction.get().insert("row")
            try await keys.connection.release(.commit)
            #expect(journal.entries == ["connect", "BEGIN", "insert row", "COMMIT", "disconnect"])
        }
    }

    @Test("Rule 11: the claim of what overran lasts until that has really ended")
    func overrun() async throws {
        let journal = Journal()
        let connection = PlainConnection.resource(journal)
        let mayCommit = Signal()
        let hasEnded = Signal()
        let slow = RequestResource.around(
            "slow",
            on: connection,
            released: .beforeResponse,
            limits: .init(release: .milliseconds(1))
        ) { connection, use in
            let receipt = try await connection.withTransaction { transaction in
                let receipt = try await use(transaction)
                await mayCommit.wait()
                return receipt
            }
            return receipt
        }
        let audit = RequestResource.around("audit", on: connection) { connection, use in
            try await connection.withTransaction { transaction in try await use(transaction) }
        }
        let observer = EndObserver(of: "slow", hasEnded)
        let scope = StoreScope(observers: [observer], report: { _ in })
        try await scope.run {
            await #expect(throws: (any Error).self) {
                try await withRequestStore(.child(owning: slow)) { _ in _ = try await slow.get() }
            }
            #expect(await reason { try await audit.get() }?.name == "claimed")
            mayCommit.fire()
            await hasEnded.wait()
            _ = try await audit.get()
        }
        await scope.settle(status: .http(200))
        await scope.close()
    }
}

/// Tells when a resource has been released.
private final class EndObserver: RequestObserver {
    private let name: String
    private let ended: Signal

    init(of name: String, _ ended: Signal) {
        self.name = name
        self.ended = ended
    }

    func observe(_ event: RequestEvent) {
        if case .released(let acquisition, _) = event.kind, acquisition.key == name { ended.fire() }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
