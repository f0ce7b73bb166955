import HTTPTypes
import PerRequest
import Testing

@testable import NotesApp

@Suite("Row-level security", .timeLimit(.minutes(2)), .enabled(if: TestDatabase.isPostgres))
struct RowSecurityTests {
    /// What a programmer writes who forgot the tenant.
    private static let everything = "SELECT tenant FROM note"

    private func tenant(_ number: Int) throws -> Tenant {
        try Tenant([.tenant: "tenant-\(number)"])
    }

    private func insert(_ text: String, _ transaction: DatabaseTransaction) async throws {
        _ = try await transaction.query(
            "INSERT INTO note (tenant, title, body) VALUES (current_tenant(), $1, 'b')",
            .text(text)
        )
    }

    @Test("With no tenant set nothing can be read and nothing written")
    func noTenant() async throws {
        try await withPool(connections: 1) { pool in
            let owner = try await pool.lease(for: .public)
            try await owner.withTransaction { try await insert("A", $0) }
            await owner.giveBack()
            let nobody = try await pool.lease(for: nil)
            #expect(try await nobody.query(Self.everything).isEmpty)
            await #expect(throws: PostgresError.self) { try await nobody.withTransaction { try await insert("B", $0) } }
            await #expect(throws: PostgresError.self) {
                try await nobody.withTransaction { transaction in
                    _ = try await transaction.query(
                        "INSERT INTO note (tenant, title, body) VALUES ('public', 'B', 'b')"
                    )
                }
            }
            await nobody.giveBack()
        }
    }

    @Test("A row of another tenant cannot be read, written, changed or deleted, and tells nothing by its id")
    func otherTenant() async throws {
        try await withPool(connections: 1) { pool in
            let one = try await pool.lease(for: tenant(1))
            try await one.withTransaction { try await insert("mine", $0) }
            let id = try await one.query("SELECT id FROM note")[0].integer(0)
            await one.giveBack()
            let two = try await pool.lease(for: tenant(2))
            #expect(try await two.query("SELECT * FROM note WHERE id = $1", .integer(id)).isEmpty)
            try await two.withTransaction { transaction in
                for statement in ["UPDATE note SET title = 'x' RETURNING id", "DELETE FROM note RETURNING id"] {
                    let rows = try await transaction.query(statement)
                    #expect(rows.isEmpty)
                }
            }
            for statement in [
                "INSERT INTO note (tenant, title, body) VALUES ('tenant-1', 'a', 'b')",
                "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
                "DROP POLICY note_of_tenant ON note",
                "DROP TABLE note CASCADE",
                "TRUNCATE note CASCADE",
                "CREATE TABLE mine (id int)",
            ] {
                await #expect(throws: PostgresError.self, "\(statement)") {
                    try await two.withTransaction { transaction in _ = try await transaction.query(statement) }
                }
            }
            await two.giveBack()
        }
    }

    @Test("The role owns nothing; role and tenant end with the transaction")
    func settingsEnd() async throws {
        let settings = "SELECT current_user::text, current_setting('app.tenant', true)"
        try await withPool(connections: 1) { pool in
            let client = try await pool.lease(for: tenant(1))
            let inside = try await client.query(settings)[0]
            #expect(inside.values == [.text("notes_app"), .text("tenant-1")])
            #expect(try await client.query("SELECT 1 FROM pg_class WHERE relowner = 'notes_app'::regrole").isEmpty)
            let connection = try #require(await client.end() as? PostgresConnection)
            let outside = try await connection.execute(settings).rows[0]
            #expect(outside.values == [.text("notes_login"), .text("")])
            await client.giveBack()
        }
    }

    @Test("Under load, on pooled connections, statements that forgot the tenant give no row of another")
    func load() async throws {
        try await withPool(connections: 8) { pool in
            try await withThrowingTaskGroup { group in
                for number in 1...400 {
                    let tenant = try tenant(number % 10)
                    group.addTask {
                        try await withRequestStore { _ in
                            try Current.database.set(pool)
                            try Current.tenant.set(tenant)
                            let client = try await Current.client.get()
                            try await self.insert("n", Current.transaction.get())
                            if number.isMultiple(of: 3) { RequestStore.current?.fail(Oops()) }
                            let inside = try await client.query(Self.everything).map { try $0.text(0) }
                            #expect(Set(inside) == [tenant.name])
                        }
                        // What streams after the commit reads in transactions of its own.
                        try await withRequestStore { _ in
                            try Current.database.set(pool)
                            try Current.tenant.set(tenant)
                            for _ in 1...3 {
                                let rows = try await Current.client.get().query(Self.everything).map { try $0.text(0) }
                                #expect(Set(rows).isSubset(of: [tenant.name]))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private struct Oops: Error {}

    @Test("Under load, every streamed page, its notes read after the head, is of its tenant alone")
    func pages() async throws {
        try await withNotes { client in
            for number in 1...4 {
                for _ in 1...30 {
                    let note = ["title": "of tenant-\(number)", "body": "b"]
                    #expect(try await client.post("/api/notes", tenant: "tenant-\(number)", json: note).status == 201)
                }
            }
            try await withThrowingTaskGroup { group in
                for number in 1...120 {
                    let tenant = "tenant-\(number % 4 + 1)"
                    group.addTask {
                        if number.isMultiple(of: 5) {
                            _ = try await client.post(
                                "/api/notes?fail=handler",
                                tenant: tenant,
                                json: ["title": "x", "body": "b"]
                            )
                        }
                        let titles = try await client.get("/", tenant: tenant).body.matches(of: #/<h2>(.*?)</h2>/#)
                        #expect(titles.map { String($0.1) } == Array(repeating: "of \(tenant)", count: 30))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }
}
