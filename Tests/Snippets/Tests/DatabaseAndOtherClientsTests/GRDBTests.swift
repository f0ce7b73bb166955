import Foundation
import GRDB
import PerRequest
import Testing

@testable import DatabaseAndOtherClientsGRDB

@Suite("The guide's transactions on GRDB", .timeLimit(.minutes(5)))
struct GRDBTests {
    private struct Refused: Error {}

    private let pool: Pool

    init() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        pool = Pool(path: folder.appending(path: "notes.sqlite").path)
        let connection = try await pool.lease()
        try await connection.write { db in try db.execute(sql: "CREATE TABLE note (text TEXT NOT NULL UNIQUE)") }
        await pool.giveBack(connection)
    }

    private func request(_ text: String, then body: () async throws -> Void = {}) async throws {
        try await withRequestStore { _ in
            try Current.pool.set(pool)
            try await Current.transaction.get().write { db in
                try db.execute(sql: "INSERT INTO note VALUES (?)", arguments: [text])
            }
            try await body()
        }
    }

    private func notes() async throws -> [String] {
        let connection = try await pool.lease()
        defer { withExtendedLifetime(connection) {} }
        return try await connection.read { db in try String.fetchAll(db, sql: "SELECT text FROM note ORDER BY text") }
    }

    @Test("Those that return are kept, those that throw are not, whoever writes at the same time")
    func verdicts() async throws {
        await withTaskGroup { group in
            for number in 10..<30 {
                group.addTask { try? await request("\(number)") { if number % 2 == 1 { throw Refused() } } }
            }
        }
        #expect(try await notes() == stride(from: 10, to: 30, by: 2).map { "\($0)" })
    }

    @Test("A request that is cancelled is rolled back, and its connection is of use to the next")
    func cancellation() async throws {
        let task = Task {
            try await request("cancelled") {
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await request("next")
        #expect(try await notes() == ["next"])
    }
}
