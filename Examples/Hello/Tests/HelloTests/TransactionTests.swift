import GRDB
import Testing

@testable import Hello

@Suite("withTransaction")
struct TransactionTests {
    @Test("commits what returns, also when its task is cancelled meanwhile")
    func commit() async throws {
        try await withPool { pool in
            let connection = try pool.lease()
            try await task { cancel in
                try await connection.withTransaction { transaction in
                    cancel()
                    try await transaction.insert("milk")
                }
            }
            #expect(try await connection.texts == ["milk"])
            #expect(try await connection.run { db in !db.isInsideTransaction })
        }
    }

    @Test("rolls back what throws, also when its task is cancelled meanwhile")
    func rollback() async throws {
        try await withPool { pool in
            let connection = try pool.lease()
            await #expect(throws: CancellationError.self) {
                try await task { cancel in
                    try await connection.withTransaction { transaction in
                        try await transaction.insert("milk")
                        cancel()
                        try Task.checkCancellation()
                    }
                }
            }
            #expect(try await connection.texts == [])
            #expect(try await connection.run { db in !db.isInsideTransaction })
        }
    }

    @Test("waits for another writer, until its task is cancelled")
    func waiting() async throws {
        try await withPool { pool in
            let (first, second) = (try pool.lease(), try pool.lease())
            try await first.withTransaction { transaction in
                try await transaction.insert("milk")
                #expect(try await first.texts == ["milk"])
                #expect(try await second.texts == [])
                await #expect(throws: CancellationError.self) {
                    try await task { cancel in
                        cancel()
                        try await second.withTransaction { _ in }
                    }
                }
            }
            try await second.withTransaction { transaction in try await transaction.insert("bread") }
            #expect(try await second.texts == ["milk", "bread"])
        }
    }

    @Test("writes nothing after SQLite has ended the transaction, or outside of one")
    func ended() async throws {
        try await withPool { pool in
            let connection = try pool.lease()
            await #expect(throws: DatabaseError.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.write { db in try db.execute(sql: "ROLLBACK") }
                    try? await transaction.insert("milk")
                }
            }
            await #expect(throws: DatabaseError.self) {
                try await connection.read { db in try Note(userID: 1, text: "bread").insert(db) }
            }
            #expect(try await connection.texts == [])
        }
    }

    @Test("gives no connection to the next one whose transaction is open")
    func clean() async throws {
        try await withPool { pool in
            let connection = try pool.lease()
            try await connection.withTransaction { transaction in
                try await transaction.insert("milk")
                await pool.giveBack(connection)
                #expect(try await pool.lease().texts == [])
            }
            await pool.giveBack(connection)
            #expect(try await pool.lease().texts == ["milk"])
        }
    }
}

extension Transaction {
    fileprivate func insert(_ text: String) async throws {
        try await write { db in try Note(userID: 1, text: text).insert(db) }
    }
}

extension DatabaseQueue {
    fileprivate var texts: [String] {
        get async throws { try await read { db in try Note.fetchAll(db).map(\.text) } }
    }
}

/// Runs `body` in a task of its own, which it can cancel.
private func task(_ body: @escaping @Sendable (_ cancel: () -> Void) async throws -> Void) async throws {
    try await Task { try await body { withUnsafeCurrentTask { $0?.cancel() } } }.value
}
