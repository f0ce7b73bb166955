import Foundation
import HTTPTypes
import PerRequest
import PerRequestAdapters
import Synchronization
import Testing

@testable import NotesApp

@Suite("Full-text search, indexed after the response (rule 20)", .timeLimit(.minutes(1)))
struct SearchTests {
    private func search(_ client: NotesClient, _ words: String, tenant: String? = nil) async throws -> [String] {
        let query = words.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return try await client.get("/api/notes?q=\(query)", tenant: tenant).json(as: [NoteReply].self).map(\.title)
    }

    @Test("A note is found by all of its words, newest first, and not after it was deleted")
    func words() async throws {
        try await withNotes { client in
            for (title, body) in [("Bread", "flour and water"), ("Tea", "Water, boiling"), ("Air", "nothing")] {
                _ = try await client.post("/api/notes", json: ["title": title, "body": body])
            }
            _ = try await client.quietHealth()
            #expect(try await search(client, "water") == ["Tea", "Bread"])
            #expect(try await search(client, "WATER flour") == ["Bread"])
            #expect(try await search(client, "water nothing") == [])
            let tea = try await client.get("/api/notes?q=tea").json(as: [NoteReply].self)
            #expect(try await client.send(.delete, "/api/notes/\(try #require(tea.first).id)").status == 204)
            #expect(try await search(client, "water") == ["Bread"])
        }
    }

    @Test("A tenant finds its own notes only; a form makes notes that are found")
    func tenants() async throws {
        try await withNotes { client in
            _ = try await client.post("/api/notes", tenant: "a", json: ["title": "of a", "body": "secret"])
            _ = try await client.post("/notes", form: "title=of+public&body=secret")
            _ = try await client.quietHealth()
            #expect(try await search(client, "secret", tenant: "a") == ["of a"])
            #expect(try await search(client, "secret") == ["of public"])
            #expect(try await search(client, "secret", tenant: "b") == [])
        }
    }

    @Test(
        "Whatever is searched for is words, not a query language",
        arguments: ["\"", "a\"b", "'", "*", "title:x", "a OR b", "(", "-", "NEAR(", "%", ":*", "a & !b", "\\"]
    )
    func noSyntax(text: String) async throws {
        try await withNotes { client in
            _ = try await client.post("/api/notes", json: ["title": "n", "body": "b"])
            _ = try await client.quietHealth()
            let titles = try await search(client, text)
            #expect(titles == [])
        }
    }

    @Test("A search for nothing gives 400", arguments: ["", "%20", "%00"])
    func nothing(query: String) async throws {
        try await withNotes { client in
            let reply = try await client.get("/api/notes?q=\(query)")
            #expect(reply.status == 400)
            #expect(try !reply.errorMessage().isEmpty)
        }
    }

    @Test("A request that fails leaves nothing to find, and no job", arguments: ["handler", "conflict", "commit"])
    func rollback(kind: String) async throws {
        try await withNotes { client in
            _ = try await client.post("/api/notes?fail=\(kind)", json: ["title": "lost", "body": "b"])
            let health = try await client.quietHealth()
            // A client and a transaction, of the request itself, and the store of /health.
            #expect(health.resources.acquired == 2)
            #expect(health.requests.opened - health.requests.open >= 1)
            #expect(try await search(client, "lost") == [])
        }
    }

    @Test("100 jobs at once on a pool of 4 all end, each with a connection of its own and its tenant")
    func manyJobs() async throws {
        let reports = Reports()
        try await withPool(connections: 4) { pool in
            let work = BackgroundWork(limits: .init(concurrent: 100))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await work.runUntilShutdown() }
                await work.untilRunning()
                for number in 1...100 {
                    let scope = RequestScope(report: { reports.add("\($0)") }, background: work)
                    try await scope.run {
                        try Current.database.set(pool)
                        try Current.tenant.set(Tenant([.tenant: "tenant-\(number % 3)"]))
                        _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "n\(number)", body: "word")))
                    }
                    await scope.settle()
                    await scope.close()
                }
                work.shutDown()
                try await group.waitForAll()
            }
            for number in 0...2 {
                let found = try await withRequestStore { _ in
                    try Current.database.set(pool)
                    try Current.tenant.set(Tenant([.tenant: "tenant-\(number)"]))
                    return try await NotesRepository.find("word")
                }
                #expect(found.count == (number == 1 ? 34 : 33))
            }
        }
        #expect(reports.all == [])
    }

    private final class Reports: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test(
        "SQLite: what was not indexed when the process ended is indexed at the next start",
        .enabled(if: !TestDatabase.isPostgres)
    )
    func nothingIsLost() async throws {
        let file = try DatabaseFile(nil)
        defer { file.removeIfTemporary() }
        let connection = try SQLiteConnection(
            path: {
                _ = try SQLiteDatabase(path: file.path); return file.path
            }()
        )
        try await connection.begin(for: .public)
        let insert = "INSERT INTO note (tenant, title, body) VALUES (current_tenant(), 'late', 'b')"
        _ = try await connection.query(insert, [], for: .public)
        try await connection.commit()
        await connection.close()
        try await withNotesService(on: .sqlite(path: file.path)) { client, _ in
            let titles = try await search(client, "late")
            #expect(titles == ["late"])
        }
    }
}
