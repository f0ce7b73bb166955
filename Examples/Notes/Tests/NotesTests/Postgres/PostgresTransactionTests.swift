import HTTPTypes
import Hummingbird
import PerRequest
import Testing

@testable import NotesApp

@Suite("PostgreSQL transactions", .timeLimit(.minutes(1)), .enabled(if: TestDatabase.isPostgres))
struct PostgresTransactionTests {
    private let note = ["title": "A", "body": "b"]

    private func expectNothingLeft(_ client: NotesClient, connections: Int = 8) async throws {
        #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
        #expect(try await client.quietHealth().resources.held == 0)
    }

    @Test("Rule 16: a constraint that fails only at COMMIT gives a 500, never a 201, and leaves no row")
    func deferredConstraint() async throws {
        try await withNotes { client in
            for _ in 1...10 {
                #expect(try await client.post("/api/notes?fail=commit", json: note).status == 500)
            }
            try await expectNothingLeft(client)
        }
    }

    @Test("Rule 16: a conflict that shows only at COMMIT is mapped to a 409, and leaves no row")
    func deferredConflict() async throws {
        try await PostgresServer.withDatabase { name in
            try await PostgresServer.run(
                "ALTER TABLE note ADD CONSTRAINT one_title UNIQUE (tenant, title) DEFERRABLE INITIALLY DEFERRED",
                in: name
            )
            try await withNotesService(on: .postgres(url: PostgresServer.servingURL(name))) { client, _ in
                #expect(try await client.post("/api/notes", json: note).status == 201)
                let reply = try await client.post("/api/notes", json: note)
                #expect(reply.status == 409)
                #expect(try reply.errorMessage() == "There is such a note already.")
                #expect(try await client.get("/api/notes").json(as: [NoteReply].self).count == 1)
            }
        }
    }

    @Test("A COMMIT that the server answers with ROLLBACK, since a failed statement was swallowed, is a failure")
    func swallowedError() async throws {
        try await withNotes { router in
            router.post("swallow") { _, _ in
                let transaction = try await Current.transaction.get()
                _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "A", body: "b")))
                _ = try? await transaction.query("SELECT 1 / 0")
                return HTTPResponse.Status.created
            }
        } _: { client in
            let reply = try await client.send(.post, "/swallow")
            #expect(reply.status == 500)
            #expect(try reply.errorMessage() == "The change could not be saved.")
            try await expectNothingLeft(client)
            #expect(try await client.post("/api/notes", json: note).status == 201)
        }
    }

    @Test("The commit is there before the head: another connection sees the row as soon as the response comes")
    func commitBeforeHead() async throws {
        try await PostgresServer.withDatabase { name in
            try await withNotesService(on: .postgres(url: PostgresServer.servingURL(name))) { client, _ in
                for count in 1...20 {
                    try await client.open(
                        .post,
                        "/api/notes",
                        contentType: "application/json",
                        body: #"{"title":"A","body":"b"}"#
                    ) { head, _ in
                        #expect(head.status == .created)
                        let rows = try await PostgresServer.run("SELECT COUNT(*) FROM note", in: name)
                        #expect(try rows[0].integer(0) == count)
                    }
                }
            }
        }
    }

    @Test("A user that may do anything serves as the role that owns nothing, and makes the tables at the first start")
    func superuser() async throws {
        try await PostgresServer.run("CREATE DATABASE notes_fresh")
        let url: NotesSettings.Database = .postgres(url: "\(PostgresServer.url)/notes_fresh")
        try await withThrowingTaskGroup { group in
            // Several start at the same time.
            for _ in 1...3 {
                group.addTask {
                    try await withNotesService(on: url) { client, _ in
                        let reply = try await client.post("/api/notes", tenant: "a", json: note)
                        #expect(reply.status == 201)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await withNotesService(on: url) { client, service in
            #expect(try await client.get("/api/notes", tenant: "a").json(as: [NoteReply].self).count == 3)
            let nobody = try await service.database.lease(for: nil)
            #expect(try await nobody.query("SELECT * FROM note").isEmpty)
            await nobody.giveBack()
        }
        try await PostgresServer.run("DROP DATABASE notes_fresh WITH (FORCE)")
    }
}
