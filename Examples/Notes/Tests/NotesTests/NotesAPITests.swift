import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct NotesAPITests {
    @Test("A note is made, found, listed and deleted")
    func lifeOfANote() async throws {
        try await withNotes { client in
            let created = try await client.post("/api/notes", json: ["title": "A", "body": "b"])
            #expect(created.status == 201)
            #expect(created.headers[.contentType]?.hasPrefix("application/json") == true)
            let note = try created.json(as: NoteReply.self)
            #expect(note.title == "A" && note.body == "b")
            let location = try #require(created.headers[.location])
            #expect(location == "/api/notes/\(note.id)")

            let found = try await client.get(location)
            #expect(found.status == 200)
            #expect(try found.json() == note)
            #expect(try await client.get("/api/notes").json() == [note])

            let deleted = try await client.send(.delete, location)
            #expect(deleted.status == 204)
            #expect(deleted.body.isEmpty)
            #expect(try await client.get(location).status == 404)
            #expect(try await client.send(.delete, location).status == 404)
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
        }
    }

    @Test(
        "Bad JSON and invalid fields give 400 with a JSON error, and nothing is stored",
        arguments: [
            "", "{", "[]", "null", #"{"title":1,"body":"b"}"#, "{}", #"{"title":"t"}"#, #"{"title":" ","body":"b"}"#,
            #"{"title":"t","body":"\u0000"}"#, "{\"title\":\"\(String(repeating: "t", count: 201))\",\"body\":\"b\"}",
        ]
    )
    func invalidNote(json: String) async throws {
        try await withNotes { client in
            let reply = try await client.send(.post, "/api/notes", contentType: "application/json", body: json)
            #expect(reply.status == 400)
            #expect(try !reply.errorMessage().isEmpty)
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
        }
    }

    @Test("An invalid id gives 400", arguments: ["x", "0", "-1", "1.5", "99999999999999999999"])
    func invalidID(id: String) async throws {
        try await withNotes { client in
            for method in [HTTPRequest.Method.get, .delete] {
                let reply = try await client.send(method, "/api/notes/\(id)")
                #expect(reply.status == 400)
                #expect(try !reply.errorMessage().isEmpty)
            }
        }
    }

    @Test("An unknown route gives 404 in JSON")
    func unknownRoute() async throws {
        try await withNotes { client in
            let reply = try await client.get("/nowhere")
            #expect(reply.status == 404)
            #expect(try reply.errorMessage() == "Not Found")
        }
    }

    @Test("The callback route gives the same notes as the API")
    func callbacks() async throws {
        try await withNotes { client in
            for title in ["A", "B"] {
                _ = try await client.post("/api/notes", tenant: "acme", json: ["title": title, "body": "b"])
            }
            let reply = try await client.get("/callback/notes", tenant: "acme")
            #expect(reply.status == 200)
            let notes = try reply.json(as: [NoteReply].self)
            #expect(notes.map(\.title) == ["A", "B"])
            #expect(try await client.get("/api/notes", tenant: "acme").json() == notes)
        }
    }
}
